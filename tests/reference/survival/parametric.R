# Accelerated failure time models by survreg, and with delayed entry by Newton's method here: parametric.json.
#
# survreg refuses delayed entry; its likelihood is written out below for R's deriv3, which derives gradient and
# curvature symbolically, and must give survreg's own numbers where there is no entry.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))

tight <- survreg.control(maxiter = 200, rel.tolerance = 1e-14)
distributions <- c("weibull", "exponential", "lognormal", "loglogistic")

# Logarithms of S and f of the standardised log time, as text to be derived symbolically.
tails <- list(
  weibull = c("-exp(Z)", "Z - exp(Z)"),
  lognormal = c("pnorm(-(Z), log.p = FALSE)", "-(Z)^2/2 - log(2 * pi)/2"),
  loglogistic = c("-log(1 + exp(Z))", "Z - 2 * log(1 + exp(Z))")
)
tails$exponential <- tails$weibull
tails$lognormal[1] <- "log(pnorm(-(Z)))"

put <- function(text, y) gsub("Z", paste0("((", y, " - eta)/exp(s))"), text, fixed = TRUE)

# The sandwich. survreg (3.5-3) leaves case weights out of its robust variance, and its residuals have the wrong sign in
# the score of the scale for interval-censored rows; so each row's score is derived here, and compared with survreg's
# robust variance where neither matters.
sandwich <- function(fit, data, weight, cluster, strata) {
  tail <- tails[[fit$dist]]
  texts <- list(
    exact = paste(put(tail[2], "y"), "- s - y"), right = put(tail[1], "y"),
    left = paste0("log(1 - exp(", put(tail[1], "u"), "))"),
    between = paste0("log(exp(", put(tail[1], "y"), ") - exp(", put(tail[1], "u"), "))")
  )
  kind <- ifelse(is.na(data$left), "left", ifelse(is.na(data$upper), "right",
    ifelse(data$left == data$upper, "exact", "between")
  ))
  codes <- if (strata) as.integer(factor(data$stratum)) else rep(1L, nrow(data))
  s <- log(if (strata) fit$scale[codes] else rep(fit$scale, nrow(data)))
  score <- matrix(0, nrow(data), 2)
  for (k in unique(kind)) {
    f <- deriv(parse(text = texts[[k]])[[1]], c("eta", "s"), function(eta, s, y, u) NULL)
    rows <- kind == k
    value <- f(fit$linear.predictors[rows], s[rows], log(data$left[rows]), log(data$upper[rows]))
    score[rows, ] <- attr(value, "gradient")
  }
  every <- cbind(1, as.matrix(data[, fit$columns, drop = FALSE])) * score[, 1]
  if (fit$dist != "exponential") {
    more <- matrix(0, nrow(data), max(codes))
    more[cbind(seq_along(codes), codes)] <- score[, 2]
    every <- cbind(every, more)
  }
  stopifnot(abs(colSums(weight * every)) < 1e-4 * sqrt(colSums(every^2)))
  naive <- if (is.null(fit$naive.var)) fit$var else fit$naive.var
  influence <- (weight * every) %*% naive
  result <- crossprod(if (is.null(cluster)) influence else rowsum(influence, cluster))
  if (all(weight == 1) && !any(kind == "between")) stopifnot(all.equal(c(result), c(fit$var), tolerance = 1e-8))
  result
}

predicted <- function(fit, data, people, strata) {
  levels_ <- c(0.1, 0.5, 0.8)
  times <- lapply(levels_, function(p) {
    q <- predict(fit, data[people, ], type = "quantile", p = p, se.fit = TRUE)
    u <- predict(fit, data[people, ], type = "uquantile", p = p, se.fit = TRUE)
    list(
      q = p, time = I(unname(q$fit)), error = I(unname(q$se.fit)),
      low = I(unname(exp(u$fit - qnorm(0.975) * u$se.fit))), high = I(unname(exp(u$fit + qnorm(0.975) * u$se.fit)))
    )
  })
  asked <- unname(quantile(data$left, c(0.3, 0.7), na.rm = TRUE))
  eta <- unname(predict(fit, data[people, ], type = "lp"))
  columns <- cbind(1, as.matrix(data[people, fit$columns, drop = FALSE]))
  k <- length(coef(fit))
  strata_of <- if (strata) as.integer(factor(data$stratum))[people] else rep(1L, length(people))
  sigma <- unname(if (length(fit$scale) > 1) fit$scale[strata_of] else rep(fit$scale, length(people)))
  survival_ <- lapply(asked, function(t) {
    z <- (log(t) - eta) / sigma
    s <- switch(fit$dist, lognormal = pnorm(-z), loglogistic = 1 / (1 + exp(z)), exp(-exp(z)))
    f <- switch(fit$dist, lognormal = dnorm(z), loglogistic = exp(z) / (1 + exp(z))^2, exp(z - exp(z)))
    g <- -columns / sigma
    if (nrow(fit$var) > k) {
      more <- matrix(0, length(people), nrow(fit$var) - k)
      more[cbind(seq_along(people), if (ncol(more) > 1) strata_of else 1L)] <- -z
      g <- cbind(g, more)
    }
    list(time = t, survival = I(s), error = I(f * sqrt(rowSums((g %*% fit$var) * g))))
  })
  list(people = I(people - 1L), quantiles = times, survival = survival_)
}

one_fit <- function(data, columns, distribution, weighted = FALSE, strata = FALSE, clustered = FALSE, robust = FALSE,
                    offset = FALSE) {
  terms <- c(columns, if (strata) "strata(stratum)", if (offset) "offset(known)")
  f <- as.formula(paste("Surv(left, upper, type = 'interval2') ~", paste(terms, collapse = " + ")))
  arguments <- list(f, data = data, dist = distribution, control = tight)
  if (weighted) arguments$weights <- quote(weight)
  if (clustered) arguments$cluster <- quote(person)
  if (robust && !clustered) arguments$robust <- TRUE
  fit <- do.call(survreg, arguments)
  fit$columns <- columns
  if (robust || clustered) {
    fit$var <- sandwich(
      fit, data, if (weighted) data$weight else rep(1, nrow(data)), if (clustered) data$person, strata
    )
  }
  table <- summary(fit)$table
  k <- length(coef(fit))
  naive <- if (is.null(fit$naive.var)) fit$var else fit$naive.var
  c(
    list(
      columns = I(columns), distribution = distribution, weighted = weighted, strata = strata, clustered = clustered,
      robust = robust || clustered, offset = offset,
      coefficient = I(unname(coef(fit))), scale = I(unname(fit$scale)), covariance = unname(fit$var),
      naive_covariance = unname(naive), log_likelihood = I(fit$loglik),
      z = I(unname(table[1:k, "z"])), p_value = I(unname(table[1:k, "p"])),
      likelihood_ratio = 2 * diff(fit$loglik), df = k - 1,
      likelihood_ratio_p = pchisq(2 * diff(fit$loglik), k - 1, lower.tail = FALSE)
    ),
    if (!offset) predicted(fit, data, c(1, 5, nrow(data)), strata)
  )
}

row_function <- function(distribution) {
  tail <- tails[[distribution]]
  text <- paste0(
    "event * (", put(tail[2], "y"), " - s - y) + (1 - event) * (", put(tail[1], "y"), ") - late * (",
    put(tail[1], "e"), ")"
  )
  deriv3(parse(text = text)[[1]], c("eta", "s"), function(eta, s, y, e, event, late) NULL)
}

truncated <- function(time, event, entry, weight, x, distribution) {
  f <- row_function(distribution)
  x <- cbind(1, x)
  fixed <- distribution == "exponential"
  # Columns are centred and scaled for the climb, and the result is taken back.
  centre <- colMeans(x[, -1, drop = FALSE])
  spread <- apply(x[, -1, drop = FALSE], 2, sd)
  moved <- cbind(1, scale(x[, -1, drop = FALSE], centre, spread))
  k <- ncol(x)
  late <- as.numeric(entry > 0)
  e <- ifelse(entry > 0, log(pmax(entry, 1e-300)), 0)
  value <- function(theta) {
    row <- f(drop(moved %*% theta[1:k]), if (fixed) 0 else theta[k + 1], log(time), e, event, late)
    g <- attr(row, "gradient") * weight
    h <- attr(row, "hessian") * weight
    gradient <- drop(crossprod(moved, g[, "eta"]))
    information <- -crossprod(moved, h[, "eta", "eta"] * moved)
    if (!fixed) {
      gradient <- c(gradient, sum(g[, "s"]))
      cross <- -drop(crossprod(moved, h[, "eta", "s"]))
      information <- rbind(cbind(information, cross), c(cross, -sum(h[, "s", "s"])))
    }
    list(value = sum(weight * row), gradient = gradient, information = unname(information))
  }
  start <- survreg(Surv(time, event) ~ moved[, -1], weights = weight, dist = distribution)
  theta <- c(coef(start), if (!fixed) log(start$scale))
  for (iteration in 1:60) {
    here <- value(theta)
    step <- solve(here$information, here$gradient)
    while (!isTRUE(value(theta + step)$value >= here$value - 1e-9)) step <- step / 2
    theta <- theta + step
  }
  stopifnot(sum(step^2) < 1e-20)
  back <- diag(length(theta))
  back[1, 2:k] <- -centre / spread
  diag(back)[2:k] <- 1 / spread
  list(
    coefficient = I(unname(drop(back %*% theta))), log_likelihood = here$value,
    covariance = unname(back %*% solve(here$information) %*% t(back))
  )
}

delayed <- function(name, k, columns, weighted = FALSE) {
  x <- as.matrix(k$x[, columns, drop = FALSE])
  weight <- if (weighted) k$weight else rep(1, length(k$time))
  lapply(distributions, function(d) {
    fit <- truncated(k$time, as.numeric(k$event > 0), k$entry, weight, x, d)
    plain <- truncated(k$time, as.numeric(k$event > 0), 0 * k$time, weight, x, d)
    check <- survreg(Surv(k$time, k$event > 0) ~ x, weights = weight, dist = d, control = tight)
    stopifnot(abs(plain$coefficient[seq_len(ncol(x) + 1)] - coef(check)) < 1e-7)
    c(
      list(case = name, columns = I(match(columns, k$names) - 1L), distribution = d, weighted = weighted),
      fit
    )
  })
}

intervals <- function(n, seed) {
  set.seed(seed)
  d <- data.frame(age = round(rnorm(n, 60, 9)), arm = rbinom(n, 1, 0.5), stratum = sample(c("a", "b", "c"), n, TRUE))
  t <- exp(4.5 - 0.02 * (d$age - 60) + 0.5 * d$arm + c(a = 0.5, b = 0.8, c = 1.1)[d$stratum] * log(rexp(n)))
  visits <- t(apply(matrix(rexp(n * 5, 1 / 40), n), 1, cumsum))
  table <- cbind(0, visits, Inf)
  place <- rowSums(table < t)
  d$left <- signif(table[cbind(1:n, place)], 8)
  d$right <- signif(table[cbind(1:n, place + 1)], 8)
  d <- d[d$left > 0 | is.finite(d$right), ]
  known <- runif(nrow(d)) < 0.3
  time <- signif(pmax(t[as.integer(rownames(d))], 0.5), 8)
  d$left[known] <- time[known]
  d$right[known] <- time[known]
  d$weight <- round(runif(nrow(d), 0.3, 2.5), 2)
  d$person <- sample(1:25, nrow(d), TRUE)
  d$known <- round(rnorm(nrow(d), 0, 0.3), 2)
  rownames(d) <- NULL
  d
}

as_r <- function(d) {
  # survreg takes left- and right-censored ends as NA.
  d$upper <- ifelse(is.finite(d$right), d$right, NA)
  d$left[d$left == 0] <- NA
  d
}

d <- intervals(160, 11)
r <- as_r(d)
lung_ <- na.omit(lung[, c("time", "status", "age", "sex", "ph.ecog", "inst")])
l <- data.frame(
  left = lung_$time, right = ifelse(lung_$status == 2, lung_$time, Inf), age = lung_$age, sex = lung_$sex,
  ecog = lung_$ph.ecog, stratum = ifelse(lung_$sex == 1, "a", "b"), person = lung_$inst,
  weight = rep_len(c(0.7, 1.3, 1, 2.1), nrow(lung_)), known = rep_len(c(0.1, -0.2), nrow(lung_))
)
lr <- as_r(l)
fits <- function(data, columns) {
  c(
    lapply(distributions, function(x) one_fit(data, columns, x)),
    lapply(distributions, function(x) one_fit(data, columns, x, weighted = TRUE, robust = TRUE)),
    lapply(distributions, function(x) one_fit(data, columns, x, clustered = TRUE)),
    lapply(distributions[-2], function(x) one_fit(data, columns, x, strata = TRUE)),
    lapply(distributions[c(1, 3)], function(x) one_fit(data, columns, x, strata = TRUE, weighted = TRUE, clustered = TRUE)),
    lapply(distributions[1:2], function(x) one_fit(data, columns, x, offset = TRUE))
  )
}
cases_ <- make_cases()
value <- list(
  data = list(intervals = lapply(d, I), lung = lapply(l, I)),
  fits = list(intervals = fits(r, c("age", "arm")), lung = fits(lr, c("age", "sex", "ecog"))),
  delayed = c(
    delayed("heart", cases_$heart, c("age", "surgery")),
    delayed("tied_count", cases_$tied_count, c("a", "b")),
    delayed("tied_fraction", cases_$tied_fraction, c("a", "b"), weighted = TRUE)
  )
)
write_reference(value, "parametric.R")
