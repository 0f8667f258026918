# MaxCombo tests: statistics and covariance by a plain loop over event times, P values of the largest: max_combo.json.
#
# P of the usual four weights, whose covariance is singular since S + (1 - S) = 1, is a nested one-dimensional integral:
# over z(0,1) and z(1,0) within the bounds that all of them but z(1,1) set, times the conditional P of z(1,1). mvtnorm's
# lattice is no reference there: on singular covariances it misses by more than it says. P of the three weights without
# (0,0) is from mvtnorm's TVPACK by inclusion and exclusion, P of four independent weights from its lattice.
suppressPackageStartupMessages(library(mvtnorm))
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

joint <- function(k, weight, entry, strata, pairs) {
  status <- as.numeric(k$event > 0)
  excess <- numeric(length(pairs))
  covariance <- matrix(0, length(pairs), length(pairs))
  second <- k$group == max(k$group)
  for (s in unique(strata)) {
    before <- 1
    for (t in sort(unique(k$time[status == 1 & strata == s]))) {
      risk <- strata == s & k$time >= t & entry < t
      dead <- risk & status == 1 & k$time == t
      n <- sum(weight[risk])
      d <- sum(weight[dead])
      p <- sum(weight[risk & second]) / n
      w <- sapply(pairs, function(pair) before^pair[1] * (1 - before)^pair[2])
      excess <- excess + w * (sum(weight[dead & second]) - d * p)
      if (n > 1) covariance <- covariance + outer(w, w) * d * (n - d) / (n - 1) * p * (1 - p)
      before <- before * (1 - d / n)
    }
  }
  list(z = excess / sqrt(diag(covariance)), covariance = covariance)
}

# P(all |z| < m) or P(all z < m) for (0,0), (0,1), (1,0), (1,1).
usual <- function(covariance, m, two_sided) {
  low <- if (two_sided) -m else -9
  r <- cov2cor(covariance)
  sd <- sqrt(diag(covariance))
  a <- sd[2] / sd[1]
  b <- sd[3] / sd[1]
  stopifnot(abs(a^2 + b^2 + 2 * a * b * r[2, 3] - 1) < 1e-9)
  slope <- solve(r[2:3, 2:3], r[4, 2:3])
  rest <- sqrt(1 - sum(slope * r[4, 2:3]))
  rho <- r[2, 3]
  inner <- function(x) {
    from <- max(low, (low - a * x) / b)
    to <- min(m, (m - a * x) / b)
    if (from >= to) return(0)
    f <- function(y) {
      mean <- slope[1] * x + slope[2] * y
      dnorm(y, rho * x, sqrt(1 - rho^2)) * (pnorm((m - mean) / rest) - if (two_sided) pnorm((-m - mean) / rest) else 0)
    }
    # Pieces no wider than the narrow conditional distributions.
    cuts <- seq(from, to, length.out = 41)
    dnorm(x) * sum(mapply(function(u, v) integrate(f, u, v, rel.tol = 1e-11, abs.tol = 1e-15)$value, cuts[-41], cuts[-1]))
  }
  corners <- c(low, m, (m - b * m) / a, (m - b * low) / a, (low - b * m) / a, (low - b * low) / a)
  corners <- sort(unique(pmin(pmax(c(corners, seq(low, m, length.out = 13)), low), m)))
  pieces <- mapply(function(u, v) {
    integrate(function(x) sapply(x, inner), u, v, rel.tol = 1e-10, abs.tol = 1e-13)$value
  }, corners[-length(corners)], corners[-1])
  sum(pieces)
}

three <- function(covariance, m, two_sided) {
  r <- cov2cor(covariance)
  below <- function(upper) c(pmvnorm(rep(-Inf, 3), upper, corr = r, algorithm = TVPACK(abseps = 1e-15)))
  if (!two_sided) return(below(rep(m, 3)))
  signs <- expand.grid(c(-1, 1), c(-1, 1), c(-1, 1))
  sum(apply(signs, 1, function(s) prod(s) * below(m * s)))
}

lattice <- function(covariance, m, two_sided) {
  low <- if (two_sided) -m else -Inf
  size <- nrow(covariance)
  p <- pmvnorm(rep(low, size), rep(m, size), corr = cov2cor(covariance),
    algorithm = GenzBretz(maxpts = 2e6, abseps = 1e-8)
  )
  structure(c(p), error = attr(p, "error"))
}

test <- function(k, weight, entry, strata, pairs, below) {
  found <- joint(k, weight, entry, strata, pairs)
  largest <- c(max(abs(found$z)), max(found$z), max(-found$z))
  inside <- lapply(1:3, function(i) below(found$covariance, largest[i], i == 1))
  error <- max(sapply(inside, function(p) if (is.null(attr(p, "error"))) 0 else attr(p, "error")))
  list(
    weights = I(pairs), z = I(found$z), covariance = found$covariance, statistic = I(largest),
    p_value = I(1 - sapply(inside, c)), error = error
  )
}

one_case <- function(k) {
  whole <- is.null(k$weight) || all(k$weight == floor(k$weight))
  weight <- if (whole && !is.null(k$weight)) k$weight else rep(1, length(k$time))
  entry <- if (is.null(k$entry)) rep(-1, length(k$time)) else k$entry
  answers <- list()
  for (stratified in c(FALSE, TRUE)) {
    if (stratified && is.null(k$strata)) next
    strata <- if (stratified) k$strata else rep(1, length(k$time))
    run <- function(pairs, below) test(k, weight, entry, strata, pairs, below)
    answers[[length(answers) + 1]] <- list(
      stratified = stratified, weighted = !all(weight == 1), mvtnorm = as.character(packageVersion("mvtnorm")),
      usual = run(list(c(0, 0), c(0, 1), c(1, 0), c(1, 1)), usual),
      three = run(list(c(0, 1), c(1, 0), c(1, 1)), three),
      four = run(list(c(0, 0), c(0, 0.5), c(0.5, 0), c(0.5, 0.5)), lattice)
    )
  }
  answers
}

cases <- Filter(function(k) length(unique(k$group)) == 2, make_cases())
set.seed(20250601)
write_reference(lapply(cases, one_case), "max_combo.R")
