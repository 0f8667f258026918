# Kaplan-Meier curves, their intervals, quantiles, readings and restricted means, and reverse Kaplan-Meier: curves.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

# Long curves are written at some places and by their sums, which no single wrong value can pass.
summarised <- function(fit) {
  columns <- list(
    time = fit$time, at_risk = fit$n.risk, events = fit$n.event, censored = fit$n.censor, survival = fit$surv,
    standard_error = if (fit$logse) fit$surv * fit$std.err else fit$std.err, low = fit$lower, high = fit$upper
  )
  columns$standard_error[fit$surv == 0] <- NA
  m <- length(fit$time)
  places <- unique(round(seq(1, m, length.out = min(m, 14))))
  list(
    length = m, places = I(places - 1L), at = lapply(columns, function(v) I(v[places])),
    sums = lapply(columns, function(v) sum(v, na.rm = TRUE))
  )
}

# R's quantile sorts a limit that is not monotone (it may recover after a small early risk set), which no longer is the
# first time at or below the level; R's print of the median takes the first time, and so do we for every quantile.
limit <- function(time, curve, theirs, q) {
  known <- !is.na(curve)
  if (!any(diff(curve[known]) > 0)) return(theirs)
  reached <- known & curve <= 1 - q + 1e-9
  if (any(reached)) time[reached][1] else NA
}

curve <- function(y, weight, type, tau, times) {
  fit <- survfit(y ~ 1, weights = weight, conf.type = type)
  levels_ <- c(0.25, 0.5, 0.75)
  q <- quantile(fit, levels_)
  low <- unname(mapply(function(level, end) limit(fit$time, fit$lower, end, level), levels_, q$lower))
  high <- unname(mapply(function(level, end) limit(fit$time, fit$upper, end, level), levels_, q$upper))
  table <- summary(fit, rmean = tau)$table
  read <- summary(fit, times = times)
  error <- read$std.err
  c(summarised(fit), list(
    conf_type = type,
    quantile = list(value = I(unname(q$quantile)), low = I(low), high = I(high)),
    median = I(unname(table[c("median", "0.95LCL", "0.95UCL")])),
    tau = tau, rmst = unname(table["rmean"]), rmst_error = unname(table["se(rmean)"]),
    times = I(times), survival_at = I(read$surv), low_at = I(read$lower), high_at = I(read$upper),
    error_at = I(ifelse(read$surv == 0, NA, error)),
    at_risk_at = I(sapply(times, function(t) {
      enters <- if (ncol(y) == 3) y[, 1] < t else rep(TRUE, nrow(y))
      sum(weight[y[, ncol(y) - 1] >= t & enters])
    }))
  ))
}

one_case <- function(k) {
  y <- outcome(k)
  weight <- if (is.null(k$weight)) rep(1, length(k$time)) else k$weight
  times <- unname(round(quantile(k$time, c(0.1, 0.35, 0.6, 0.85)), 1))
  tau <- unname(round(0.7 * max(k$time)))
  types <- lapply(c("log-log", "log", "plain"), function(type) curve(y, weight, type, tau, times))
  flipped <- outcome(list(time = k$time, event = 1 - (k$event > 0), entry = k$entry))
  follow <- summary(survfit(flipped ~ 1, weights = weight, conf.type = "log-log"))$table
  groups <- lapply(sort(unique(k$group)), function(g) {
    mine <- k$group == g
    c(list(group = g), curve(y[mine], weight[mine], "log-log", tau, times[1:2]))
  })
  a <- groups[[1]]
  b <- groups[[2]]
  d <- a$rmst - b$rmst
  e <- sqrt(a$rmst_error^2 + b$rmst_error^2)
  s <- a$survival_at[1] - b$survival_at[1]
  v <- sqrt(a$error_at[1]^2 + b$error_at[1]^2)
  list(
    types = types, groups = groups,
    follow_up = I(unname(follow[c("median", "0.95LCL", "0.95UCL")])),
    rmst_difference = I(c(d, d - qnorm(0.975) * e, d + qnorm(0.975) * e, e, d / e, 2 * pnorm(-abs(d / e)))),
    survival_difference = I(c(s, s - qnorm(0.975) * v, s + qnorm(0.975) * v, v, s / v, 2 * pnorm(-abs(s / v))))
  )
}

write_reference(lapply(make_cases(), one_case), "curves.R")
