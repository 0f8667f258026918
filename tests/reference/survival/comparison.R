# Differences and ratios of restricted means, and of survival at a time: comparison.json.
#
# Debian has no package survRM2; these are the formulas of Uno et al. (J Clin Oncol 2014; 32: 2380-2385) and of
# survRM2's documentation for the largest horizon, on survfit's curves. Under fractional weights each mean's variance
# is the sum of the squared influences of the rows on the area, from survfit's influence on the curve.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

restricted_mean <- function(y, weight, tau) {
  fractional <- any(weight != floor(weight))
  fit <- if (fractional) survfit(y ~ 1, weights = weight, influence = TRUE) else survfit(y ~ 1, weights = weight)
  inside <- fit$time <= tau
  edges <- c(0, fit$time[inside], tau)
  widths <- diff(edges)
  heights <- c(1, fit$surv[inside])
  value <- sum(widths * heights)
  if (fractional) {
    change <- cbind(0, fit$influence.surv[, inside, drop = FALSE])
    return(list(value = value, variance = sum((change %*% widths)^2)))
  }
  areas <- rev(cumsum(rev(widths * heights)[-length(widths)]))
  left <- fit$n.risk[inside] - fit$n.event[inside]
  greenwood <- ifelse(left > 0, fit$n.event[inside] / (fit$n.risk[inside] * left), 0)
  list(value = value, variance = sum(areas^2 * greenwood))
}

ratio <- function(a, b, va, vb) {
  log_ratio <- log(a) - log(b)
  e <- sqrt(va / a^2 + vb / b^2)
  z <- qnorm(0.975)
  c(a / b, exp(log_ratio - z * e), exp(log_ratio + z * e), e, log_ratio / e, 2 * pnorm(-abs(log_ratio / e)))
}

difference <- function(a, b, va, vb) {
  e <- sqrt(va + vb)
  z <- qnorm(0.975)
  c(a - b, a - b - z * e, a - b + z * e, e, (a - b) / e, 2 * pnorm(-abs((a - b) / e)))
}

# survRM2: the shortest of the follow-ups that end in a censoring; the longest follow-up where all end in an event.
horizon <- function(ys, weights) {
  ends <- sapply(ys, function(y) max(y[, ncol(y) - 1]))
  zero <- mapply(function(y, w) tail(survfit(y ~ 1, weights = w)$surv, 1) == 0, ys, weights)
  if (all(zero)) max(ends) else min(ends[!zero])
}

at_time <- function(y, weight, time) {
  read <- summary(survfit(y ~ 1, weights = weight), times = time)
  c(read$surv, read$std.err)
}

one_case <- function(k) {
  y <- outcome(k)
  weight <- if (is.null(k$weight)) rep(1, length(k$time)) else k$weight
  groups <- sort(unique(k$group))
  ys <- lapply(groups, function(g) y[k$group == g])
  ws <- lapply(groups, function(g) weight[k$group == g])
  pair <- horizon(ys[1:2], ws[1:2])
  taus <- c(signif(0.6 * pair, 3), pair)
  time <- signif(0.3 * pair, 3)
  s <- lapply(1:2, function(i) at_time(ys[[i]], ws[[i]], time))
  list(
    groups = I(groups), largest_tau = pair, largest_tau_of_all = horizon(ys, ws), time = time,
    survival_difference = difference(s[[1]][1], s[[2]][1], s[[1]][2]^2, s[[2]][2]^2),
    survival_ratio = ratio(s[[1]][1], s[[2]][1], s[[1]][2]^2, s[[2]][2]^2),
    restricted = lapply(taus, function(tau) {
      a <- restricted_mean(ys[[1]], ws[[1]], tau)
      b <- restricted_mean(ys[[2]], ws[[2]], tau)
      list(
        tau = tau, mean = I(c(a$value, sqrt(a$variance), b$value, sqrt(b$variance))),
        rmst_difference = difference(a$value, b$value, a$variance, b$variance),
        rmst_ratio = ratio(a$value, b$value, a$variance, b$variance),
        rmtl_ratio = ratio(tau - a$value, tau - b$value, a$variance, b$variance)
      )
    })
  )
}

write_reference(lapply(make_cases(), one_case), "comparison.R")
