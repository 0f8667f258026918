# Kernel-smoothed hazards with Gasser-Mueller boundary kernels, from the closed forms that Klein & Moeschberger print
# (Survival analysis, 2nd ed. 2003, section 6.2), on survfit's steps: smoothed_hazard.json.
#
# Debian has no package muhaz (and it uses other boundary kernels). Observation ends at the last time of any row.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

kernel <- list(
  epanechnikov = function(x) 0.75 * (1 - x^2), biweight = function(x) 15 / 16 * (1 - x^2)^2,
  uniform = function(x) rep(0.5, length(x))
)

boundary <- list(
  epanechnikov = function(x, q) {
    down <- (1 + q)^4 * (19 - 18 * q + 3 * q^2)
    alpha <- 64 * (2 - 4 * q + 6 * q^2 - 3 * q^3) / down
    beta <- 240 * (1 - q)^2 / down
    kernel$epanechnikov(x) * (alpha + beta * x)
  },
  biweight = function(x, q) {
    down <- (1 + q)^5 * (81 - 168 * q + 126 * q^2 - 40 * q^3 + 5 * q^4)
    alpha <- 64 * (8 - 24 * q + 48 * q^2 - 45 * q^3 + 15 * q^4) / down
    beta <- 1120 * (1 - q)^3 / down
    kernel$biweight(x) * (alpha + beta * x)
  },
  uniform = function(x, q) 4 * (1 + q^3) / (1 + q)^4 + 6 * (1 - q) / (1 + q)^3 * x
)

weights_at <- function(t, times, b, name, start, end) {
  x <- (t - times) / b
  k <- if (t - start < b) {
    q <- (t - start) / b
    ifelse(x >= -1 & x <= q, boundary[[name]](x, q), 0)
  } else if (end - t < b) {
    q <- (end - t) / b
    ifelse(-x >= -1 & -x <= q, boundary[[name]](-x, q), 0)
  } else {
    ifelse(abs(x) <= 1, kernel[[name]](x), 0)
  }
  k / b
}

# The variance of the sum: from Aalen's variances, or from each row's influence on the steps under fractional weights.
error_of <- function(w, fit, step, fractional) {
  if (!fractional) return(sqrt(sum(w^2 * ifelse(fit$n.risk > 0, fit$n.event / fit$n.risk^2, 0))))
  influence <- fit$influence.chaz
  change <- influence - cbind(0, influence[, -ncol(influence), drop = FALSE])
  sqrt(sum((change %*% w)^2))
}

smooth <- function(k, name) {
  y <- outcome(k)
  weight <- if (is.null(k$weight)) rep(1, length(k$time)) else k$weight
  fractional <- any(weight != floor(weight))
  fit <- if (fractional) {
    survfit(y ~ 1, weights = weight, stype = 2, ctype = 1, influence = TRUE)
  } else {
    survfit(y ~ 1, weights = weight, stype = 2, ctype = 1)
  }
  step <- diff(c(0, fit$cumhaz))
  start <- if (is.null(k$entry)) 0 else min(k$entry)
  end <- max(k$time)
  b <- signif(0.23 * (end - start), 3)
  times <- signif(start + (end - start) * c(0, 0.02, 0.11, 0.3, 0.5, 0.72, 0.85, 0.95, 1), 8)
  times[length(times)] <- end
  ws <- lapply(times, function(t) weights_at(t, fit$time, b, name, start, end))
  list(
    kernel = name, bandwidth = b, times = I(times),
    hazard = I(sapply(ws, function(w) sum(w * step))),
    standard_error = I(sapply(ws, error_of, fit = fit, step = step, fractional = fractional))
  )
}

one_case <- function(k) lapply(names(kernel), function(name) smooth(k, name))

# The closed forms integrate to 1 and have mean 0 on their part of the kernel.
for (name in names(kernel)) {
  for (q in c(0, 0.3, 0.8, 1)) {
    stopifnot(
      abs(integrate(function(x) boundary[[name]](x, q), -1, q, rel.tol = 1e-12)$value - 1) < 1e-10,
      abs(integrate(function(x) x * boundary[[name]](x, q), -1, q, rel.tol = 1e-12)$value) < 1e-10
    )
  }
}

write_reference(lapply(make_cases(), one_case), "smoothed_hazard.R")
