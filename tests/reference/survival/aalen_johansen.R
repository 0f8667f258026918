# Cumulative incidences with jackknife (survival) and Aalen (cmprsk) errors: aalen_johansen.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "competing_data.R"))

# Long curves are written at some places and by their sums, which no single wrong value can pass.
places_of <- function(m) unique(round(seq(1, m, length.out = min(m, 12))))

columns_of <- function(value, places) {
  list(at = value[places, , drop = FALSE], sums = I(unname(colSums(value, na.rm = TRUE))))
}

outcome_of <- function(k, levels_) {
  state <- factor(k$event, levels_)
  if (is.null(k$entry)) Surv(k$time, state) else Surv(k$entry, k$time, state)
}

one_case <- function(k) {
  k <- written_out(k)
  n <- length(k$time)
  levels_ <- sort(unique(c(0, k$event)))
  weight <- if (is.null(k$weight)) rep(1, n) else k$weight
  y <- outcome_of(k, levels_)
  row <- seq_len(n)
  fit <- survfit(y ~ 1, weights = weight, id = row, influence = TRUE)
  m <- length(fit$time)
  places <- places_of(m)
  entry <- if (is.null(k$entry)) rep(-1, n) else k$entry
  # survfit 3.5 counts those at risk without their weights where rows enter late.
  at_risk <- sapply(fit$time, function(t) sum(weight[entry < t & k$time >= t]))
  types <- lapply(c("log-log", "log", "plain"), function(type) {
    f <- survfit(y ~ 1, weights = weight, id = row, conf.type = type)
    # At 0 and 1 only R's plain interval has limits, the point itself; there is no interval there.
    known <- f$pstate > 0 & f$pstate < 1
    f$lower[!known] <- f$upper[!known] <- NA
    list(
      conf_type = type, low = columns_of(f$lower[, -1, drop = FALSE], places),
      high = columns_of(f$upper[, -1, drop = FALSE], places)
    )
  })
  result <- list(
    causes = I(levels_[-1]), length = m, places = I(places - 1L), time = I(fit$time[places]),
    at_risk = I(at_risk[places]), incidence = columns_of(fit$pstate[, -1, drop = FALSE], places),
    standard_error = columns_of(fit$std.err[, -1, drop = FALSE], places),
    event_free = I(fit$pstate[places, 1]), event_free_error = I(ifelse(fit$pstate[, 1] > 1e-12, fit$std.err[, 1], NA)[places]),
    types = types
  )
  if (!is.null(k$cluster)) {
    # survfit 3.5 does not use the clusters of a multi-state curve: add its influences up by hand.
    influence <- fit$influence.pstate
    if (is.null(influence)) influence <- fit$influence
    error <- apply(influence, c(2, 3), function(u) sqrt(sum(rowsum(u * weight, k$cluster)^2)))
    error <- error[nrow(error) - (m - 1):0, -1, drop = FALSE]
    result$cluster_error <- columns_of(error, places)
  }
  if (is.null(k$entry) && is.null(k$weight)) {
    result$aalen_variance <- columns_of(t(timepoints(cuminc(k$time, k$event), fit$time)$var), places)
  }
  result
}

write_competing(lapply(make_competing(), one_case), "aalen_johansen.R")
