# Maximally selected log-rank statistics and their P values as maxstat has them: maximally_selected.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))
suppressPackageStartupMessages(library(maxstat))
suppressPackageStartupMessages(library(mvtnorm))

set.seed(20250601)

synthetic <- function(n, values, effect) {
  x <- if (values == 0) signif(rnorm(n), 8) else sample(values, n, TRUE)
  event_time <- rexp(n, 0.1 * exp(effect * (x > median(x))))
  end <- runif(n, 2, 25)
  list(time = signif(pmin(event_time, end), 8), event = as.numeric(event_time <= end), x = x)
}

inputs <- list(
  lung_age = with(lung, list(time = time, event = status - 1, x = age)),
  veteran_karno = with(veteran, list(time = time, event = status, x = karno)),
  gbsg_pgr = with(gbsg, list(time = rfstime, event = status, x = pgr)),
  pbc_bili = with(pbc, list(time = time, event = as.numeric(status > 0), x = bili)),
  offset = with(veteran, list(time = time, event = status, x = 1e7 + age)),
  none = synthetic(80, 0, 0), strong = synthetic(200, 0, 1.2), grades = synthetic(120, 4, 0.5),
  two = synthetic(60, 2, 0.6), months = {
    s <- synthetic(150, 0, 0.7)
    s$time <- ceiling(s$time)
    s
  }
)

one_range <- function(d, low, high) {
  frame <- data.frame(time = d$time, event = d$event, x = d$x)
  ask <- function(method, ...) {
    maxstat.test(Surv(time, event) ~ x, frame, smethod = "LogRank", pmethod = method, minprop = low, maxprop = high, ...)
  }
  a <- ask("Lau92")
  # Genz's method is slow to make sure of digits: few cutpoints only, with the error that it states (99 %).
  gauss <- if (length(a$cuts) <= 30) ask("exactGauss", maxpts = 1e6, abseps = 1e-5, releps = 0)$p.value else NULL
  # maxstat takes the normal tail from 1, which leaves a small P with few digits: give back what that lost.
  b <- unname(a$statistic)
  lost <- 2 * pnorm(-b) - (1 - (pnorm(b) - pnorm(-b)))
  list(
    min = low, max = high, statistic = unname(a$statistic), cutpoint = unname(a$estimate),
    cutpoints = I(a$cuts), absolute = I(a$stats),
    lau92 = unname(a$p.value), lau94 = unname(ask("Lau94")$p.value) + lost,
    gauss = if (!is.null(gauss)) as.numeric(gauss)[1], gauss_error = if (!is.null(gauss)) max(0, attr(gauss, "error"))
  )
}

one <- function(d) {
  list(
    time = I(d$time), event = I(d$event), x = I(d$x),
    ranges = list(one_range(d, 0.1, 0.9), one_range(d, 0.25, 0.8))
  )
}

write_reference(list(
  maxstat = as.character(packageVersion("maxstat")), mvtnorm = as.character(packageVersion("mvtnorm")),
  exactRankTests = as.character(packageVersion("exactRankTests")), inputs = lapply(inputs, one)
), "maximally_selected.R")
