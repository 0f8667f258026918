# Turnbull's nonparametric maximum likelihood: turnbull.json.
#
# Masses come from npsurv::npsurv (Wang's constrained Newton method) and are then finished here by Newton steps on the
# simplex over the intervals that it leaves with mass, until the gradient is even to rounding. survfit stops EM at a
# change of 5e-5 and takes midpoints, so that from it only the log-likelihood is written, which must not be above ours.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))
suppressPackageStartupMessages(library(npsurv))

# Which innermost intervals each row covers; an exact time is the interval [t, t].
covered <- function(left, right, from, to) {
  exact <- left == right
  outer(seq_along(left), seq_along(from), Vectorize(function(i, j) {
    if (from[j] == to[j]) {
      if (exact[i]) left[i] == to[j] else left[i] < to[j] && to[j] <= right[i]
    } else {
      !exact[i] && left[i] <= from[j] && to[j] <= right[i]
    }
  }))
}

# Newton with the side condition sum(p) = 1; it needs a start that is nearly right and masses that are unique.
finish <- function(cover, weight, p) {
  for (iteration in 1:30) {
    probability <- drop(cover %*% p)
    gradient <- drop(crossprod(cover, weight / probability))
    curvature <- crossprod(cover * sqrt(weight) / probability)
    k <- length(p)
    system <- rbind(cbind(-curvature, 1), c(rep(1, k), 0))
    p <- p + solve(system, c(sum(weight) - gradient, 0), tol = 1e-30)[1:k]
  }
  stopifnot(all(p > 0), abs(sum(p) - 1) < 1e-12)
  p
}

npmle <- function(left, right, weight) {
  fit <- npsurv(cbind(left, right), w = weight, maxit = 10000, tol = 1e-12)$f
  from <- fit$left
  to <- fit$right
  held <- fit$p > 1e-7
  cover <- covered(left, right, from[held], to[held]) * 1
  p <- finish(cover, weight, fit$p[held])
  list(
    from = I(from[held]), to = I(to[held]), mass = I(p),
    log_likelihood = sum(weight * log(drop(cover %*% p)))
  )
}

# The likelihood of survfit's curve: it puts each innermost interval's mass on its midpoint.
of_survfit <- function(left, right, weight) {
  fit <- survfit(Surv(left, ifelse(is.finite(right), right, NA), type = "interval2") ~ 1, weights = weight)
  at <- function(t) c(1, fit$surv)[findInterval(t, fit$time) + 1]
  before <- function(t) c(1, fit$surv)[findInterval(t, fit$time, left.open = TRUE) + 1]
  exact <- left == right
  probability <- ifelse(exact, before(left), at(left)) - ifelse(is.finite(right), at(pmin(right, 1e9)), 0)
  sum(weight * log(probability))
}

drawn <- function(n, seed, exact = 0, grid = NULL, weights = NULL) {
  set.seed(seed)
  t <- rweibull(n, 1.3, 10)
  visits <- t(apply(matrix(runif(n * 5, 0, 22), n), 1, sort))
  if (!is.null(grid)) {
    visits <- ceiling(visits / grid) * grid
    t <- ceiling(t * 2) / 2
  }
  table <- cbind(0, visits, Inf)
  place <- rowSums(table < t)
  left <- table[cbind(1:n, place)]
  right <- table[cbind(1:n, place + 1)]
  known <- runif(n) < exact
  left[known] <- right[known] <- t[known]
  weight <- if (is.null(weights)) rep(1, n) else sample(weights, n, TRUE)
  list(left = signif(left, 10), right = signif(right, 10), weight = weight)
}

data(cancer, package = "npsurv")
cosmesis <- function(group) {
  mine <- cancer$group == group
  list(left = cancer$L[mine], right = cancer$R[mine], weight = rep(1, sum(mine)))
}

samples <- list(
  cosmesis_radiation = cosmesis("RT"),
  cosmesis_chemotherapy = cosmesis("RCT"),
  cosmesis_all = list(left = cancer$L, right = cancer$R, weight = rep(1, nrow(cancer))),
  continuous = drawn(150, 1),
  some_exact = drawn(120, 2, exact = 0.35),
  tied = drawn(200, 3, grid = 2),
  tied_some_exact = drawn(200, 4, exact = 0.3, grid = 1),
  fractional = drawn(90, 5, exact = 0.2, grid = 1, weights = c(0.4, 1, 1.7, 2.3)),
  counted = drawn(90, 6, grid = 1, weights = 1:3)
)

value <- lapply(samples, function(s) {
  c(
    lapply(s, I), npmle(s$left, s$right, s$weight),
    list(survfit_log_likelihood = of_survfit(s$left, s$right, s$weight))
  )
})
write_reference(list(npsurv = as.character(packageVersion("npsurv")), samples = value), "turnbull.R")
