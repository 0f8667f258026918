# Predicted survival of new rows after a Cox model, with its intervals: cox_prediction.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

precise <- coxph.control(eps = 1e-14, toler.chol = 1e-16, iter.max = 60)

predicted <- function(k, ties, stratified, clustered, conf_type, level) {
  d <- as.data.frame(k$x)
  names(d) <- paste0("v", seq_len(ncol(k$x)))
  columns <- names(d)
  d$y <- outcome(k)
  d$s <- if (is.null(k$strata)) 1 else k$strata
  d$w <- if (is.null(k$weight)) 1 else k$weight
  d$cl <- if (clustered) k$cluster else seq_along(k$time)
  d <<- d
  formula <- as.formula(paste("y ~", paste(c(columns, if (stratified) "strata(s)"), collapse = " + ")))
  fit <- if (clustered) {
    coxph(formula, d, weights = w, ties = ties, cluster = cl, control = precise, x = TRUE)
  } else {
    coxph(formula, d, weights = w, ties = ties, robust = FALSE, control = precise, x = TRUE)
  }
  n <- nrow(d)
  rows <- unique(round(seq(1, n, length.out = 3)))
  # Up to times that every stratum reaches.
  last <- min(tapply(k$time, d$s[seq_along(k$time)], max))
  times <- sort(unique(k$time[k$time <= last]))
  times <- c(0, times[unique(round(seq(1, length(times), length.out = 6)))])
  curves <- lapply(rows, function(i) {
    curve <- survfit(fit, newdata = d[i, ], conf.type = conf_type, conf.int = level)
    place <- findInterval(times, curve$time)
    read <- function(v, start) c(start, v)[place + 1]
    # Before the first time the curve is 1 with an interval of its own; R's limits start with the first time.
    list(
      survival = I(read(curve$surv, 1)), error = I(read(curve$std.err, 0)), low = I(read(curve$lower, NA)),
      high = I(read(curve$upper, NA)), hazard = I(read(curve$cumhaz, 0))
    )
  })
  list(
    ties = ties, stratified = stratified, clustered = clustered, conf_type = conf_type, level = level,
    rows = I(rows - 1L), times = I(times), curves = curves,
    predictor = I(unname(predict(fit, type = "lp", reference = "zero")[rows]))
  )
}

k <- make_cases()
value <- list(
  lung = list(
    predicted(k$lung, "efron", FALSE, FALSE, "log", 0.95), predicted(k$lung, "breslow", FALSE, FALSE, "log-log", 0.9),
    predicted(k$lung, "exact", FALSE, FALSE, "log", 0.95)
  ),
  veteran = list(predicted(k$veteran, "efron", TRUE, FALSE, "plain", 0.95)),
  colon = list(predicted(k$colon, "efron", TRUE, TRUE, "log", 0.95)),
  pbc = list(predicted(k$pbc, "efron", TRUE, FALSE, "log", 0.95)),
  heart = list(predicted(k$heart, "efron", FALSE, TRUE, "log", 0.95)),
  tied_fraction = list(
    predicted(k$tied_fraction, "efron", TRUE, TRUE, "log", 0.95), predicted(k$tied_fraction, "breslow", FALSE, FALSE, "log", 0.99)
  )
)
write_reference(value, "cox_prediction.R")
