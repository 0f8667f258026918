# Permutation log-rank tests over every arrangement of the labels, and the permutation covariance: permutation.json.
#
# The scores come from the textbook formula; every arrangement is listed by combn. Where scores are whole numbers of a
# common unit, exactRankTests is a second witness. survdiff checks that sums of scores are observed minus expected.
suppressPackageStartupMessages(library(exactRankTests))
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

log_rank_scores <- function(entry, time, status) {
  times <- sort(unique(time[status == 1]))
  hazard <- sapply(times, function(t) sum(time == t & status == 1) / sum(time >= t & entry < t))
  status - mapply(function(from, to) sum(hazard[times <= to & times > from]), entry, time)
}

exact <- function(d) {
  n <- length(d$time)
  score <- log_rank_scores(d$entry, d$time, d$status)
  second <- d$group == max(d$group)
  observed <- sum(score[second])
  if (all(d$entry < 0)) {
    theirs <- survdiff(Surv(d$time, d$status) ~ d$group)
    stopifnot(all.equal(observed, (theirs$obs - theirs$exp)[2], tolerance = 1e-12))
  }
  sums <- combn(n, sum(second), function(places) sum(score[places]))
  rounding <- 1e-9
  answer <- list(
    p_value = mean(abs(sums) >= abs(observed) - rounding), p_fewer = mean(sums <= observed + rounding),
    p_more = mean(sums >= observed - rounding), n_arrangements = length(sums), variance = mean(sums^2),
    observed = observed
  )
  # Whole numbers of 1 / lcm(1, ..., 10) = 1 / 2520.
  whole <- score * 2520
  whole_enough <- n <= 10 && max(abs(whole - round(whole))) < 1e-6
  if (whole_enough) {
    whole <- round(whole) - min(round(whole)) + 1
    one_sided <- perm.test(whole[second], whole[!second], alternative = "greater", exact = TRUE)
    two_sided <- perm.test(whole[second], whole[!second], alternative = "two.sided", exact = TRUE)
    stopifnot(
      all.equal(one_sided$p.value, answer$p_more, tolerance = 1e-9),
      # Both tails by their distance from the mean.
      all.equal(unname(two_sided$p.value), answer$p_value, tolerance = 1e-9)
    )
  }
  answer$second_witness <- if (whole_enough) paste("exactRankTests", packageVersion("exactRankTests"))
  c(lapply(d, I), answer)
}

make_data <- function(n, latest, share, late) {
  time <- if (latest > 0) ceiling(runif(n, 0, latest)) + 4 else round(rexp(n), 6) + 4
  list(
    time = time, status = as.numeric(runif(n) < share), entry = if (late) floor(runif(n, 0, 5)) else rep(-1, n),
    group = c("low", "zero", sample(c("low", "zero"), n - 2, TRUE))
  )
}

set.seed(20250601)
settings_ <- expand.grid(n = c(6, 9, 10, 14, 17), latest = c(0, 6), share = c(0.6, 1), late = c(FALSE, TRUE))
value <- Map(function(n, latest, share, late) exact(make_data(n, latest, share, late)), settings_$n, settings_$latest,
  settings_$share, settings_$late)
names(value) <- with(settings_, sprintf("n%d-%s-%g-%s", n, ifelse(latest > 0, "ties", "distinct"), share, late))
write_reference(value, "permutation.R")
