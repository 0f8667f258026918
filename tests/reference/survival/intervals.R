# Pointwise intervals of the survival curve on all five scales, and the quantiles that they give: intervals.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

TYPES <- c("log-log", "log", "plain", "logit", "arcsin")

# First time with limit <= 1 - q: R's print of a survfit object reads a median so; see curves.R on limits that recover.
first_time <- function(time, curve, q) {
  reached <- which(!is.na(curve) & curve <= 1 - q + 1e-9)
  if (length(reached)) time[reached[1]] else NA
}

# R's quantile takes the middle of a flat part on the level, to the last observation too; cases with such are left out.
flat <- function(curve, q) any(!is.na(curve) & abs(curve - (1 - q)) < 1e-9)

one_type <- function(y, weight, type, level, times) {
  fit <- survfit(y ~ 1, weights = weight, conf.type = type, conf.int = level)
  m <- length(fit$time)
  places <- unique(round(seq(1, m, length.out = min(m, 12))))
  levels_ <- c(0.1, 0.25, 0.5, 0.75)
  on_level <- sapply(levels_, function(q) flat(fit$lower, q) || flat(fit$upper, q))
  read <- summary(fit, times = times, extend = FALSE)
  list(
    conf_type = type, conf_level = level, places = I(places - 1L), length = m,
    low = I(fit$lower[places]), high = I(fit$upper[places]), survival = I(fit$surv[places]),
    sum_low = sum(fit$lower, na.rm = TRUE), sum_high = sum(fit$upper, na.rm = TRUE),
    missing_low = sum(is.na(fit$lower)), missing_high = sum(is.na(fit$upper)),
    levels = I(levels_[!on_level]),
    quantile_low = I(sapply(levels_, function(q) first_time(fit$time, fit$lower, q))[!on_level]),
    quantile_high = I(sapply(levels_, function(q) first_time(fit$time, fit$upper, q))[!on_level]),
    times = I(times), known = length(read$time), low_at = I(read$lower), high_at = I(read$upper),
    survival_at = I(read$surv)
  )
}

one_case <- function(k) {
  y <- outcome(k)
  weight <- if (is.null(k$weight)) rep(1, length(k$time)) else k$weight
  # The last time lies beyond the last observation: summary leaves it out, and our reading marks it.
  times <- c(0, unname(round(quantile(k$time, c(0.2, 0.7)), 1)), max(k$time), 2 * max(k$time))
  lapply(TYPES, function(type) one_type(y, weight, type, if (type == "arcsin") 0.9 else 0.95, times))
}

# Curves that stay at 1 for a while and end at 0, with few at risk, where the scales have their ends.
edges <- function() {
  frames <- list(
    ends_at_zero = data.frame(time = c(1, 2, 3, 4, 5), event = c(0, 1, 1, 0, 1)),
    all_at_once = data.frame(time = c(4, 4, 4), event = c(1, 1, 1)),
    no_event = data.frame(time = c(1, 2, 3), event = c(0, 0, 0)),
    one_dead = data.frame(time = 3, event = 1),
    one_alive = data.frame(time = 3, event = 0)
  )
  lapply(frames, function(d) {
    list(time = I(d$time), event = I(d$event), types = lapply(TYPES, function(type) {
      fit <- survfit(Surv(time, event) ~ 1, d, conf.type = type)
      list(conf_type = type, survival = I(fit$surv), low = I(fit$lower), high = I(fit$upper))
    }))
  })
}

write_reference(list(cases = lapply(make_cases(), one_case), edges = edges()), "intervals.R")
