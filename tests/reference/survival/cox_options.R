# Cox models with an offset, with a ridge penalty and with exact ties: cox_options.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

# Go on until the coefficients, not only the likelihood, are settled.
precise <- coxph.control(eps = 1e-14, toler.chol = 1e-16, iter.max = 60, outer.max = 60)

# An offset that the reader of the JSON can make again from the row's number alone.
made_offset <- function(n) ((seq_len(n) * 7) %% 11) / 10

digest <- function(r) {
  r <- as.matrix(r)
  n <- nrow(r)
  places <- unique(round(seq(1, n, length.out = 3)))
  list(
    rows = n, places = I(places - 1L), at = unname(r[places, , drop = FALSE]),
    sums = I(unname(colSums(r))), squares = I(unname(colSums(r^2)))
  )
}

frame_of <- function(k) {
  d <- as.data.frame(k$x)
  names(d) <- paste0("v", seq_len(ncol(k$x)))
  d$y <- outcome(k)
  d$s <- if (is.null(k$strata)) 1 else k$strata
  d$w <- if (is.null(k$weight)) 1 else k$weight
  d$o <- made_offset(length(k$time))
  d
}

common <- function(fit) {
  list(
    coefficient = I(unname(coef(fit))), covariance = unname(fit$var), log_likelihood = I(fit$loglik),
    score_test = unname(fit$score), wald_test = unname(fit$wald.test)
  )
}

columns_of <- function(k) paste0("v", seq_len(ncol(k$x)))

with_offset <- function(k, ties, stratified, robust) {
  d <<- frame_of(k)
  formula <- paste("y ~", paste(c(columns_of(k), if (stratified) "strata(s)", "offset(o)"), collapse = " + "))
  d$row <<- seq_len(nrow(d))
  fit <- if (robust) {
    coxph(as.formula(formula), d, weights = w, ties = ties, cluster = row, control = precise, x = TRUE)
  } else {
    coxph(as.formula(formula), d, weights = w, ties = ties, robust = FALSE, control = precise, x = TRUE)
  }
  tests <- lapply(c("km", "identity", "rank", "log"), function(t) {
    list(transform = t, table = unname(cox.zph(fit, transform = t, terms = FALSE)$table))
  })
  # basehaz(centered = FALSE) would stay at the mean offset; a new row has the offset that it says.
  zero <- d[match(sort(unique(d$s)), d$s), ]
  zero <- if (stratified) zero else zero[1, ]
  zero[columns_of(k)] <- 0
  zero$o <- 0
  curve <- survfit(fit, newdata = zero)
  m <- length(curve$cumhaz)
  places <- unique(round(seq(1, m, length.out = 5)))
  c(list(ties = ties, stratified = stratified, robust = robust), common(fit), list(
    ph = tests,
    baseline = list(
      rows = m, places = I(places - 1L), time = I(curve$time[places]), hazard = I(c(curve$cumhaz)[places]),
      error = I(c(curve$std.err)[places]), sum = sum(curve$cumhaz)
    ),
    residuals = list(
      martingale = digest(residuals(fit, "martingale")), score = digest(residuals(fit, "score")),
      dfbeta = digest(residuals(fit, "dfbeta")), schoenfeld = digest(residuals(fit, "schoenfeld")),
      scaled_schoenfeld = digest(residuals(fit, "scaledsch"))
    )
  ))
}

# One ridge term for the columns `penalised`, the others free.
with_ridge <- function(k, theta, penalised, ties, stratified) {
  d <<- frame_of(k)
  th <<- theta
  columns <- columns_of(k)
  term <- paste0("ridge(", paste(columns[penalised], collapse = ","), ", theta = th, scale = FALSE)")
  free <- columns[setdiff(seq_along(columns), penalised)]
  formula <- paste("y ~", paste(c(free, term, if (stratified) "strata(s)"), collapse = " + "))
  fit <- coxph(as.formula(formula), d, weights = w, ties = ties, robust = FALSE, control = precise)
  # R numbers the columns as the formula has them.
  back <- order(c(setdiff(seq_along(columns), penalised), penalised))
  list(
    theta = theta, penalised = I(penalised - 1L), ties = ties, stratified = stratified,
    coefficient = I(unname(coef(fit))[back]), covariance = unname(fit$var)[back, back],
    sampling_covariance = unname(fit$var2)[back, back], log_likelihood = I(fit$loglik), penalty = fit$penalty[2],
    # With several terms R adds up traces of blocks; only one term alone has the trace of the whole.
    effective_df = if (length(free)) NULL else unname(fit$df)
  )
}

exact <- function(k, stratified, offset) {
  d <<- frame_of(k)
  formula <- paste("y ~", paste(c(columns_of(k), if (stratified) "strata(s)", if (offset) "offset(o)"), collapse = " + "))
  fit <- coxph(as.formula(formula), d, ties = "exact", control = precise)
  c(list(stratified = stratified, offset = offset), common(fit), list(
    # The residuals of start-stop fits come from a routine that R marks as another method: left out.
    martingale = if (is.null(k$entry)) digest(residuals(fit, "martingale")),
    deviance = if (is.null(k$entry)) digest(residuals(fit, "deviance"))
  ))
}

small_delayed <- function() {
  set.seed(20250601)
  n <- 40
  d <- data.frame(a = round(rnorm(n), 2), b = rbinom(n, 1, 0.5), start = sample(0:6, n, TRUE), s = rep(1:2, n / 2))
  d$stop <- d$start + sample(1:14, n, TRUE)
  d$status <- rbinom(n, 1, 0.7)
  case(d, "stop", "status", d[, c("a", "b")], "b", entry = "start", strata = "s")
}

matched <- function() {
  set.seed(20250602)
  sets <- 60
  d <- do.call(rbind, lapply(seq_len(sets), function(s) {
    cases <- sample(1:3, 1)
    controls <- sample(2:5, 1)
    data.frame(set = s, status = rep(1:0, c(cases, controls)))
  }))
  d$time <- 1
  d$a <- round(rnorm(nrow(d)) + 0.6 * d$status, 2)
  d$b <- rbinom(nrow(d), 1, 0.3 + 0.3 * d$status)
  case(d, "time", "status", d[, c("a", "b")], "b", strata = "set")
}

k <- make_cases()
extra <- list(small_delayed = small_delayed(), matched = matched())
value <- list(
  offset = list(
    lung = list(with_offset(k$lung, "efron", FALSE, FALSE), with_offset(k$lung, "breslow", TRUE, FALSE)),
    heart = list(with_offset(k$heart, "efron", FALSE, FALSE)),
    pbc = list(with_offset(k$pbc, "efron", TRUE, TRUE)),
    tied_fraction = list(with_offset(k$tied_fraction, "efron", TRUE, FALSE), with_offset(k$tied_fraction, "breslow", TRUE, TRUE)),
    tied_count = list(with_offset(k$tied_count, "efron", TRUE, FALSE))
  ),
  ridge = list(
    lung = list(with_ridge(k$lung, 2.5, 1:4, "efron", FALSE), with_ridge(k$lung, 40, 2:3, "breslow", TRUE)),
    veteran = list(with_ridge(k$veteran, 1, 1:8, "efron", FALSE), with_ridge(k$veteran, 0, 1:8, "efron", FALSE)),
    heart = list(with_ridge(k$heart, 3, 1:4, "efron", FALSE)),
    # Not Efron: with weights and start-stop rows R's penalised fit with theta = 0 differs from its own plain fit.
    tied_fraction = list(with_ridge(k$tied_fraction, 5, 1:2, "breslow", TRUE)),
    pbc = list(with_ridge(k$pbc, 2, 1:4, "efron", FALSE))
  ),
  exact = list(
    lung = list(exact(k$lung, FALSE, FALSE), exact(k$lung, TRUE, TRUE)),
    veteran = list(exact(k$veteran, FALSE, FALSE)),
    tied_plain = list(exact(k$tied_plain, FALSE, FALSE), exact(k$tied_plain, TRUE, TRUE)),
    matched = list(exact(extra$matched, TRUE, FALSE)),
    heart = list(exact(k$heart, FALSE, FALSE)),
    small_delayed = list(exact(extra$small_delayed, FALSE, FALSE), exact(extra$small_delayed, TRUE, TRUE))
  ),
  data = extra
)
write_reference(value, "cox_options.R")
