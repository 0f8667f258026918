# Weighted log-rank tests by the formulas of Klein and Moeschberger (section 7.3), trend tests, and tests of each pair of
# groups: weighted_logrank.json.
#
# R's survival has none of the weights (rho = 1 takes S(t-) and is in logrank.R), so a plain loop over event times is the
# reference. The same loop with weight 1 is checked against survdiff, and the trend against the score test of coxph with
# exact ties, whose information is the hypergeometric variance.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

weights_of <- list(
  "log-rank" = function(n, tilde) 1,
  "gehan" = function(n, tilde) n,
  "tarone-ware" = function(n, tilde) sqrt(n),
  "peto" = function(n, tilde) tilde,
  "modified-peto" = function(n, tilde) tilde * n / (n + 1)
)

textbook <- function(entry, time, status, group, weight, strata, stress) {
  levels_ <- sort(unique(group))
  observed <- expected <- numeric(length(levels_))
  variance <- matrix(0, length(levels_), length(levels_))
  for (s in unique(strata)) {
    tilde <- 1
    for (t in sort(unique(time[status == 1 & strata == s]))) {
      risk <- strata == s & time >= t & entry < t
      dead <- risk & status == 1 & time == t
      n <- sapply(levels_, function(g) sum(weight[risk & group == g]))
      d <- sapply(levels_, function(g) sum(weight[dead & group == g]))
      tilde <- tilde * (1 - sum(d) / (sum(n) + 1))
      w <- stress(sum(n), tilde)
      observed <- observed + w * d
      expected <- expected + w * sum(d) * n / sum(n)
      if (sum(n) > 1) {
        spread <- w^2 * sum(d) * (sum(n) - sum(d)) / (sum(n) - 1)
        variance <- variance + spread * (diag(n / sum(n)) - outer(n, n) / sum(n)^2)
      }
    }
  }
  used <- which(expected > 0)[-1]
  excess <- (observed - expected)[used]
  chi <- sum(excess * solve(variance[used, used, drop = FALSE], excess))
  list(
    observed = I(observed), expected = I(expected), variance = variance, chi_square = chi, df = length(used),
    p_value = pchisq(chi, length(used), lower.tail = FALSE)
  )
}

# Scores far from 1, 2, 3 so that a test of ranks would be found out.
trend <- function(test, k, weight, entry, strata) {
  size <- length(test$observed)
  scores <- c(0, 1, 4, 5, 9, 11)[seq_len(size)]
  value <- sum(scores * (test$observed - test$expected))
  variance <- drop(scores %*% test$variance %*% scores)
  rows <- rep(seq_along(k$time), weight)
  score <- scores[match(k$group, sort(unique(k$group)))]
  y <- if (is.null(k$entry)) Surv(k$time, k$event > 0) else Surv(k$entry, k$time, k$event > 0)
  # With delayed entry R's exact ties go through every subset: where ties are heavy the loop above stands alone.
  checked <- is.null(k$entry) || max(table(k$time[k$event > 0])) * max(weight) < 5
  if (checked) {
    fit <- coxph(y[rows] ~ score[rows] + strata(strata[rows]), ties = "exact", iter.max = 0)
    stopifnot(all.equal(unname(fit$score), value^2 / variance, tolerance = 1e-10))
  }
  list(
    scores = I(scores), value = value, variance = variance, z = value / sqrt(variance),
    p_value = 2 * pnorm(-abs(value / sqrt(variance))), coxph = checked
  )
}

pairs_of <- function(k, weight, entry, strata) {
  levels_ <- sort(unique(k$group))
  if (length(levels_) < 3) return(NULL)
  apply(combn(length(levels_), 2), 2, function(two) {
    mine <- k$group %in% levels_[two]
    test <- textbook(
      entry[mine], k$time[mine], as.numeric(k$event > 0)[mine], k$group[mine], weight[mine], strata[mine],
      weights_of[["log-rank"]]
    )
    if (is.null(k$entry) && all(weight == 1)) {
      theirs <- survdiff(Surv(k$time[mine], k$event[mine] > 0) ~ k$group[mine] + strata(strata[mine]))
      stopifnot(all.equal(test$chi_square, theirs$chisq, tolerance = 1e-10))
    }
    list(pair = I(levels_[two]), chi_square = test$chi_square, p_value = test$p_value)
  }, simplify = FALSE)
}

one_case <- function(k) {
  whole <- is.null(k$weight) || all(k$weight == floor(k$weight))
  weight <- if (whole && !is.null(k$weight)) k$weight else rep(1, length(k$time))
  entry <- if (is.null(k$entry)) rep(-1, length(k$time)) else k$entry
  answers <- list()
  for (stratified in c(FALSE, TRUE)) {
    if (stratified && is.null(k$strata)) next
    strata <- if (stratified) k$strata else rep(1, length(k$time))
    tests <- lapply(weights_of, function(stress) {
      textbook(entry, k$time, as.numeric(k$event > 0), k$group, weight, strata, stress)
    })
    if (is.null(k$entry) && all(weight == 1)) {
      theirs <- survdiff(Surv(k$time, k$event > 0) ~ k$group + strata(strata))
      stopifnot(all.equal(tests[["log-rank"]]$chi_square, theirs$chisq, tolerance = 1e-10))
    }
    answers[[length(answers) + 1]] <- list(
      stratified = stratified, weighted = !all(weight == 1), tests = tests,
      trend = trend(tests[["log-rank"]], k, weight, entry, strata),
      pairs = pairs_of(k, weight, entry, strata)
    )
  }
  answers
}

write_reference(lapply(make_cases(), one_case), "weighted_logrank.R")
