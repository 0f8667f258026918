# Log-rank and Fleming-Harrington tests: logrank.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

# survdiff has rho alone and neither weights nor delayed entry. This plain loop over event times follows the textbook
# and is checked against survdiff wherever survdiff can answer.
textbook <- function(entry, time, status, group, weight, strata, rho, gamma) {
  levels_ <- sort(unique(group))
  size <- length(levels_)
  observed <- expected <- numeric(size)
  variance <- matrix(0, size, size)
  for (s in unique(strata)) {
    before <- 1
    for (t in sort(unique(time[status == 1 & strata == s]))) {
      risk <- strata == s & time >= t & entry < t
      dead <- risk & status == 1 & time == t
      n <- sapply(levels_, function(g) sum(weight[risk & group == g]))
      d <- sapply(levels_, function(g) sum(weight[dead & group == g]))
      stress <- before^rho * (1 - before)^gamma
      observed <- observed + stress * d
      expected <- expected + stress * sum(d) * n / sum(n)
      if (sum(n) > 1) {
        spread <- stress^2 * sum(d) * (sum(n) - sum(d)) / (sum(n) - 1)
        variance <- variance + spread * (diag(n / sum(n)) - outer(n, n) / sum(n)^2)
      }
      before <- before * (1 - sum(d) / sum(n))
    }
  }
  used <- which(expected > 0)[-1]
  excess <- (observed - expected)[used]
  chi <- sum(excess * solve(variance[used, used, drop = FALSE], excess))
  list(
    rho = rho, gamma = gamma, observed = I(observed), expected = I(expected), variance = variance,
    chi_square = chi, df = length(used), p_value = pchisq(chi, length(used), lower.tail = FALSE)
  )
}

agree <- function(mine, k, strata, rho) {
  theirs <- if (is.null(strata)) {
    survdiff(Surv(k$time, k$event > 0) ~ k$group, rho = rho)
  } else {
    survdiff(Surv(k$time, k$event > 0) ~ k$group + strata(strata), rho = rho)
  }
  stopifnot(
    all.equal(mine$chi_square, theirs$chisq, tolerance = 1e-10),
    all.equal(c(mine$variance), c(unname(theirs$var)), tolerance = 1e-10)
  )
  mine$chi_square <- theirs$chisq
  mine$p_value <- theirs$pvalue
  mine
}

one_case <- function(k) {
  whole <- is.null(k$weight) || all(k$weight == floor(k$weight))
  weight <- if (whole && !is.null(k$weight)) k$weight else rep(1, length(k$time))
  entry <- if (is.null(k$entry)) rep(-1, length(k$time)) else k$entry
  tests <- list()
  for (stratified in c(FALSE, TRUE)) {
    if (stratified && is.null(k$strata)) next
    strata <- if (stratified) k$strata else rep(1, length(k$time))
    for (stress in list(c(0, 0), c(1, 0), c(0.5, 0), c(0, 1), c(1, 1))) {
      test <- textbook(entry, k$time, as.numeric(k$event > 0), k$group, weight, strata, stress[1], stress[2])
      simple <- is.null(k$entry) && all(weight == 1) && stress[2] == 0
      if (simple) test <- agree(test, k, if (stratified) strata, stress[1])
      tests[[length(tests) + 1]] <- c(list(stratified = stratified, weighted = !all(weight == 1), survdiff = simple), test)
    }
  }
  tests
}

write_reference(lapply(make_cases(), one_case), "logrank.R")
