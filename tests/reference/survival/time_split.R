# Rows cut at fixed times (survSplit) and where a covariate changes (tmerge), models on the pieces: time_split.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

set.seed(20250601)

# Long results by a few places and by sums.
brief <- function(columns) {
  m <- length(columns[[1]])
  places <- unique(round(seq(1, m, length.out = min(m, 25))))
  list(
    length = m, places = I(places - 1L), at = lapply(columns, function(v) I(v[places])),
    sums = lapply(columns, function(v) sum(v * seq_along(v)))
  )
}

split_case <- function(k) {
  keep <- k$time > 0
  d <- data.frame(time = k$time, status = as.numeric(k$event > 0), cause = k$event, row = seq_along(k$time) - 1)[keep, ]
  d$entry <- if (is.null(k$entry)) 0 else k$entry[keep]
  d$weight <- if (is.null(k$weight)) 1 else k$weight[keep]
  d$x <- k$x[keep, 1]
  # Two of the cuts are times of rows.
  cuts <- unname(c(quantile(d$time, c(0.2, 0.6), type = 1), signif(mean(d$time), 4)))
  s <- survSplit(d, cut = cuts, start = "entry", end = "time", event = "status", episode = "episode")
  fit <- coxph(Surv(entry, time, status) ~ x:strata(episode), s, weights = weight, ties = "breslow",
    control = coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 50), robust = FALSE)
  list(
    cuts = I(cuts),
    pieces = brief(list(row = s$row, start = s$entry, stop = s$time, event = s$status * s$cause, period = s$episode - 1,
      weight = s$weight)),
    coefficient = I(unname(coef(fit))), standard_error = I(unname(sqrt(diag(fit$var))))
  )
}

# Changes at, before and after the starts and ends of rows, several a patient, some patients without.
tmerge_case <- function() {
  d <- tied_data()
  d$id <- 100 + seq_len(nrow(d))
  changes <- data.frame(id = rep(sample(d$id, 110), length.out = 190))
  changes$when <- sample(-1:14, nrow(changes), TRUE)
  changes <- changes[!duplicated(changes), ]
  changes$value <- round(rnorm(nrow(changes)), 2)
  # tmerge starts rows with delayed entry at tstart.
  base <- tmerge(d, d, id = id, tstart = start, tstop = stop, died = event(stop, status))
  base$level <- -9
  merged <- tmerge(base, changes, id = id, level = tdc(when, value))
  value <- ifelse(is.na(merged$level), -9, merged$level)
  fit <- coxph(Surv(tstart, tstop, died) ~ value, merged, weights = fraction, cluster = id,
    control = coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 50))
  list(
    time = I(d$stop), event = I(d$status), entry = I(d$start), weight = I(d$fraction), id = I(d$id),
    initial = -9, changed = I(changes$id), when = I(changes$when), value = I(changes$value),
    pieces = list(row = I(match(merged$id, d$id) - 1), start = I(merged$tstart), stop = I(merged$tstop),
      event = I(as.numeric(merged$died)), value = I(value), weight = I(merged$fraction)),
    coefficient = unname(coef(fit)), standard_error = unname(sqrt(diag(fit$var)))
  )
}

# The Stanford hearts as tmerge makes them from one row a patient; `heart` is the published start-stop form of them.
hearts <- function() {
  j <- jasa[, c("fustat", "futime", "wait.time")]
  j$id <- seq_len(nrow(j))
  # As in the package's vignette: a death on the day of entry is given half a day, a transplant on the day of death
  # half a day less.
  j$futime <- pmax(0.5, j$futime)
  j$wait <- ifelse(!is.na(j$wait.time) & j$wait.time == j$futime, j$wait.time - 0.5, j$wait.time)
  m <- tmerge(j, j, id = id, death = event(futime, fustat), transplant = tdc(wait))
  changed <- which(!is.na(j$wait))
  list(
    time = I(j$futime), event = I(j$fustat), changed = I(changed - 1), when = I(j$wait[changed]),
    row = I(m$id - 1), start = I(m$tstart), stop = I(m$tstop), death = I(m$death), transplant = I(m$transplant)
  )
}

landmark_case <- function(k) {
  time <- unname(quantile(k$time, 0.3, type = 1))
  weight <- if (is.null(k$weight)) rep(1, length(k$time)) else k$weight
  entered <- if (is.null(k$entry)) rep(0, length(k$time)) else k$entry
  kept <- which(entered <= time & k$time > time)
  y <- Surv(k$time[kept] - time, as.numeric(k$event[kept] > 0))
  fit <- survfit(y ~ 1, weights = weight[kept])
  list(
    time = time, n = length(kept), sum_of_rows = sum(kept - 1),
    n_events_before = sum(k$time <= time & k$event > 0), n_censored_before = sum(k$time <= time & k$event == 0),
    n_entered_later = sum(entered > time), sum_survival = sum(fit$surv), length = length(fit$time)
  )
}

cases <- make_cases()
write_reference(list(
  splits = lapply(cases, split_case), landmarks = lapply(cases, landmark_case), changes = tmerge_case(),
  hearts = hearts()
), "time_split.R")
