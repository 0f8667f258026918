# Gamma frailties: at given variances, and with R's own estimate of the variance: frailty.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

precise <- coxph.control(eps = 1e-13, toler.chol = 1e-16, iter.max = 200, outer.max = 200)

frame_of <- function(k, group) {
  d <- as.data.frame(k$x)
  names(d) <- paste0("v", seq_len(ncol(k$x)))
  d$y <- outcome(k)
  d$s <- if (is.null(k$strata)) 1 else k$strata
  d$w <- if (is.null(k$weight)) 1 else k$weight
  d$g <- group
  d
}

shared <- function(k, group_name, thetas, ties, stratified, estimated = TRUE) {
  d <<- frame_of(k, k[[group_name]])
  columns <- c(paste0("v", seq_len(ncol(k$x))), if (stratified) "strata(s)")
  fixed <- function(sparse) {
    formula <- paste("y ~", paste(columns, collapse = " + "), "+ frailty(g, theta = th, sparse =", sparse, ")")
    function() coxph(as.formula(formula), d, weights = w, ties = ties, control = precise)
  }
  at <- lapply(thetas, function(theta) {
    th <<- theta
    # All groups as columns of their own: the whole information; its last columns are the group effects.
    fit <- fixed("FALSE")()
    p <- ncol(k$x)
    effects <- coef(fit)[-seq_len(p)]
    list(
      theta = theta, coefficient = I(unname(coef(fit))[seq_len(p)]),
      covariance = unname(fit$var)[seq_len(p), seq_len(p), drop = FALSE],
      # R keeps the mean of exp(effect) at 1, as gamma frailties have it.
      frailty = I(unname(exp(effects))), log_likelihood = fit$history[[1]]$c.loglik
    )
  })
  own <- NULL
  if (estimated) {
    em <- coxph(as.formula(paste("y ~", paste(columns, collapse = " + "), "+ frailty(g, eps = 1e-11)")), d,
      weights = w, ties = ties, control = precise
    )
    history <- em$history[[1]]
    own <- list(theta = history$theta, log_likelihood = history$c.loglik, coefficient = I(unname(coef(em))))
  }
  list(group = group_name, ties = ties, stratified = stratified, without = fit_without(columns, ties), at = at, own = own)
}

fit_without <- function(columns, ties) {
  formula <- as.formula(paste("y ~", paste(columns, collapse = " + ")))
  coxph(formula, d, weights = w, ties = ties, robust = FALSE, control = precise)$loglik[2]
}

kidney_case <- function() {
  case(transform(kidney, male = 2 - sex), "time", "status", transform(kidney, male = 2 - sex)[, c("age", "male")], "sex",
    cluster = "id"
  )
}

rats_case <- function() {
  both <- transform(rats, female = as.numeric(sex == "f"))
  case(both, "time", "status", both[, c("rx", "female")], "sex", cluster = "litter")
}

k <- make_cases()
extra <- list(kidney = kidney_case(), rats = rats_case())
value <- list(
  kidney = list(shared(extra$kidney, "cluster", c(0.1, 0.5, 2), "efron", FALSE)),
  rats = list(shared(extra$rats, "cluster", c(0.5, 3), "efron", FALSE), shared(extra$rats, "cluster", 1, "breslow", FALSE)),
  lung = list(shared(k$lung, "strata", c(0.05, 1), "efron", FALSE)),
  heart = list(shared(k$heart, "cluster", 0.4, "breslow", FALSE, FALSE)),
  tied_plain = list(shared(k$tied_plain, "cluster", 0.3, "efron", TRUE, FALSE)),
  data = extra
)
write_reference(value, "frailty.R")
