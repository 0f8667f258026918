# Cox models with their tests, robust variances, baselines and residuals: cox.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

# R's default stops when the likelihood settles, with coefficients good to six or seven digits; go on to the end.
precise <- coxph.control(eps = 1e-14, toler.chol = 1e-16, iter.max = 60)

# Three rows and the columns' sums and sums of squares.
digest <- function(r) {
  r <- as.matrix(r)
  n <- nrow(r)
  places <- unique(round(seq(1, n, length.out = 3)))
  list(
    rows = n, places = I(places - 1L), at = unname(r[places, , drop = FALSE]),
    sums = I(unname(colSums(r))), squares = I(unname(colSums(r^2)))
  )
}

ph <- function(fit, transform, terms) {
  table <- cox.zph(fit, transform = transform, terms = terms)$table
  list(transform = transform, grouped = terms, terms = I(rownames(table)), table = unname(table))
}

hazards <- function(k, fit, stratified) {
  b <- basehaz(fit, centered = FALSE)
  m <- nrow(b)
  places <- unique(round(seq(1, m, length.out = min(m, 5))))
  list(rows = m, places = I(places - 1L), time = I(b$time[places]), hazard = I(b$hazard[places]), sum = sum(b$hazard))
}

model <- function(k, ties, stratified, clustered, robust, group_terms = FALSE) {
  d <- data.frame(k$x, check.names = FALSE)
  d$y <- outcome(k)
  d$s <- if (is.null(k$strata)) 1 else k$strata
  d$cl <- if (clustered) k$cluster else seq_along(k$time)
  d$w <- if (is.null(k$weight)) 1 else k$weight
  grouped <- unlist(k$terms)
  plain <- setdiff(k$names, grouped)
  # A matrix column is one term to cox.zph, as a factor would be; keep the order of the columns.
  pieces <- character(0)
  for (name in k$names) {
    owner <- names(k$terms)[sapply(k$terms, function(columns) name %in% columns)]
    piece <- if (length(owner)) paste0("m_", owner) else paste0("`", name, "`")
    if (length(owner)) d[[piece]] <- k$x[, k$terms[[owner]], drop = FALSE]
    pieces <- unique(c(pieces, piece))
  }
  formula <- paste("y ~", paste(pieces, collapse = " + "), if (stratified) "+ strata(s)" else "")
  d <<- d
  fit <- if (clustered || robust) {
    coxph(as.formula(formula), d, weights = w, ties = ties, cluster = cl, robust = TRUE, control = precise, x = TRUE)
  } else {
    coxph(as.formula(formula), d, weights = w, ties = ties, robust = FALSE, control = precise, x = TRUE)
  }
  naive <- if (is.null(fit$naive.var)) fit$var else fit$naive.var
  p <- length(coef(fit))
  z <- coef(fit) / sqrt(diag(fit$var))
  lr <- 2 * diff(fit$loglik)
  chi <- function(value) list(chi_square = unname(value), df = p, p_value = pchisq(unname(value), p, lower.tail = FALSE))
  transforms <- if (ties == "efron" && !robust) c("km", "identity", "rank", "log") else "km"
  tests <- lapply(transforms, function(t) ph(fit, t, FALSE))
  if (length(k$terms)) tests <- c(tests, lapply(transforms[1], function(t) ph(fit, t, TRUE)))
  list(
    ties = ties, stratified = stratified, clustered = clustered, robust = clustered || robust,
    n = fit$n, events = fit$nevent, coefficient = I(unname(coef(fit))), covariance = unname(fit$var),
    naive_covariance = if (clustered || robust) unname(naive), z = I(unname(z)), p_value = I(unname(2 * pnorm(-abs(z)))),
    log_likelihood = I(fit$loglik), likelihood_ratio_test = chi(lr), wald_test = chi(fit$wald.test),
    score_test = chi(fit$score), ph = tests, baseline = hazards(k, fit, stratified),
    residuals = list(
      martingale = digest(residuals(fit, "martingale")), deviance = digest(residuals(fit, "deviance")),
      score = digest(residuals(fit, "score")), dfbeta = digest(residuals(fit, "dfbeta")),
      schoenfeld = digest(residuals(fit, "schoenfeld")), scaled_schoenfeld = digest(residuals(fit, "scaledsch"))
    )
  )
}

one_case <- function(k) {
  fits <- list(
    model(k, "efron", FALSE, FALSE, FALSE), model(k, "breslow", FALSE, FALSE, FALSE), model(k, "efron", FALSE, FALSE, TRUE)
  )
  if (!is.null(k$cluster)) {
    fits <- c(fits, list(model(k, "efron", FALSE, TRUE, TRUE), model(k, "breslow", FALSE, TRUE, TRUE)))
  }
  if (!is.null(k$strata)) {
    fits <- c(fits, list(model(k, "efron", TRUE, FALSE, FALSE), model(k, "breslow", TRUE, FALSE, TRUE)))
  }
  fits
}

write_reference(lapply(make_cases(), one_case), "cox.R")
