# Harrell's and Uno's concordance, of a column as it stands and of a fitted Cox model: concordance.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

precise <- coxph.control(eps = 1e-14, toler.chol = 1e-16, iter.max = 60)

told <- function(r) {
  count <- if (is.matrix(r$count)) colSums(r$count) else r$count
  list(value = unname(r$concordance), error = sqrt(unname(r$var)), count = I(unname(count)))
}

# The last column; many of its values are equal.
of_column <- function(k, stratified, clustered, timewt = "n", ymax = NULL) {
  d <- data.frame(score = k$x[, ncol(k$x)], w = if (is.null(k$weight)) 1 else k$weight)
  d$y <- outcome(k)
  d$s <- if (stratified) k$strata else 1
  formula <- if (stratified) y ~ score + strata(s) else y ~ score
  extra <- list(formula, d, weights = d$w, reverse = TRUE, timewt = timewt, ymax = ymax)
  if (clustered) extra$cluster <- k$cluster
  c(list(stratified = stratified, clustered = clustered, tau = ymax), told(do.call(concordance, extra)))
}

of_fit <- function(k, stratified, clustered) {
  d <- as.data.frame(k$x)
  names(d) <- paste0("v", seq_len(ncol(k$x)))
  columns <- names(d)
  d$y <- outcome(k)
  d$s <- if (stratified) k$strata else 1
  d$w <- if (is.null(k$weight)) 1 else k$weight
  d$cl <- if (clustered) k$cluster else seq_along(k$time)
  formula <- as.formula(paste("y ~", paste(c(columns, if (stratified) "strata(s)"), collapse = " + ")))
  fit <- if (clustered) {
    coxph(formula, d, weights = w, cluster = cl, control = precise)
  } else {
    coxph(formula, d, weights = w, robust = FALSE, control = precise)
  }
  found <- unname(fit$concordance)
  list(
    stratified = stratified, clustered = clustered, value = found[6], error = found[7], count = I(found[1:5])
  )
}

k <- make_cases()
value <- list(
  column = lapply(k, function(one) {
    forms <- list(of_column(one, FALSE, FALSE))
    if (!is.null(one$strata)) forms <- c(forms, list(of_column(one, TRUE, FALSE)))
    if (!is.null(one$cluster)) forms <- c(forms, list(of_column(one, FALSE, TRUE)))
    forms
  }),
  # Uno's weights: R refuses them for start-stop rows.
  uno = lapply(Filter(function(one) is.null(one$entry), k), function(one) {
    tau <- unname(quantile(one$time, 0.6))
    forms <- list(of_column(one, FALSE, FALSE, "n/G2"), of_column(one, FALSE, FALSE, "n/G2", tau))
    if (!is.null(one$strata)) forms <- c(forms, list(of_column(one, TRUE, FALSE, "n/G2", tau)))
    if (!is.null(one$cluster)) forms <- c(forms, list(of_column(one, FALSE, TRUE, "n/G2", tau)))
    forms
  }),
  fit = lapply(k, function(one) {
    forms <- list(of_fit(one, FALSE, FALSE))
    if (!is.null(one$strata)) forms <- c(forms, list(of_fit(one, TRUE, FALSE)))
    if (!is.null(one$cluster)) forms <- c(forms, list(of_fit(one, FALSE, TRUE)))
    forms
  })
)
write_reference(value, "concordance.R")
