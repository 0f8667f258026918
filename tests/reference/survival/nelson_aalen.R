# Cumulative hazards, both treatments of ties, by survfit(stype = 2): nelson_aalen.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

# With fractional weights survfit gives Fleming-Harrington a variance that takes weights for counts. The infinitesimal
# jackknife that it gives Nelson-Aalen is the sum of squares of weight times derivative by the weight; here by central
# differences, which an exact formula must meet to about seven digits.
numeric_jackknife <- function(y, weight, at) {
  hazard <- function(w) summary(survfit(y ~ 1, weights = w, stype = 2, ctype = 2), times = at)$cumhaz
  influence <- sapply(seq_along(weight), function(i) {
    e <- 1e-4 * weight[i]
    more <- replace(weight, i, weight[i] + e)
    less <- replace(weight, i, weight[i] - e)
    (hazard(more) - hazard(less)) / (2 * e) * weight[i]
  })
  sqrt(rowSums(matrix(influence, nrow = length(at))^2))
}

# survfit's own limits of exp(-H): log-log of S is log of H, log of S is plain H (R cuts S at 1, hence H at 0). Under
# fractional weights survfit 3.5-3 takes the standard error of H for one of S (logse is FALSE, std.err equals std.chaz,
# and the limits divide it by S), so there the limits are worked out here from cumhaz and std.chaz.
limits <- function(fit, scale) {
  if (fit$logse) return(list(low = fit$lower, high = fit$upper))
  z <- qnorm(0.975)
  h <- ifelse(fit$cumhaz > 0, fit$cumhaz, NA)
  e <- fit$std.chaz
  if (scale == "log") return(list(low = exp(-h * exp(z * e / h)), high = exp(-h / exp(z * e / h))))
  list(low = exp(-(fit$cumhaz + z * e)), high = exp(-pmax(fit$cumhaz - z * e, 0)))
}

one_fit <- function(y, weight, ctype, times) {
  fit <- survfit(y ~ 1, weights = weight, stype = 2, ctype = ctype, conf.type = "log-log")
  plain <- survfit(y ~ 1, weights = weight, stype = 2, ctype = ctype, conf.type = "log")
  m <- length(fit$time)
  places <- unique(round(seq(1, m, length.out = min(m, 12))))
  read <- summary(fit, times = times)
  on_log <- limits(fit, "log")
  on_plain <- limits(plain, "plain")
  jackknife <- any(weight != floor(weight)) && ctype == 2
  error <- if (jackknife) NULL else fit$std.chaz
  list(
    ties = c("nelson-aalen", "fleming-harrington")[ctype], length = m, places = I(places - 1L),
    time = I(fit$time[places]), at_risk = I(fit$n.risk[places]), events = I(fit$n.event[places]),
    cumulative_hazard = I(fit$cumhaz[places]), standard_error = if (!jackknife) I(error[places]),
    sum_hazard = sum(fit$cumhaz), sum_error = if (!jackknife) sum(error),
    survival_low = if (!jackknife) I(on_log$low[places]), survival_high = if (!jackknife) I(on_log$high[places]),
    plain_low = if (!jackknife) I(on_plain$low[places]), plain_high = if (!jackknife) I(on_plain$high[places]),
    times = I(times), hazard_at = I(read$cumhaz),
    numeric_error_at = if (jackknife) I(numeric_jackknife(y, weight, times))
  )
}

one_case <- function(k) {
  y <- outcome(k)
  weight <- if (is.null(k$weight)) rep(1, length(k$time)) else k$weight
  times <- unname(round(quantile(k$time, c(0.2, 0.5, 0.8)), 1))
  lapply(1:2, function(ctype) one_fit(y, weight, ctype, times))
}

write_reference(lapply(make_cases(), one_case), "nelson_aalen.R")
