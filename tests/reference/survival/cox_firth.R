# Cox's model with Firth's penalty: cox_firth.json. coxphf is not at hand, so the penalised likelihood is written out
# here, risk set by risk set, with its gradient (third moments added up plainly); Newton's method takes the curvature
# from differences of that gradient, and the profiles are solved by uniroot. Breslow ties as coxphf, Efron's beside.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))
suppressPackageStartupMessages(library(numDeriv))

# Risk sets as a list of terms: the rows, their shares, the weight of the term, and the tied events' sums.
terms_of <- function(k, ties) {
  entry <- if (is.null(k$entry)) rep(-1, length(k$time)) else k$entry
  strata <- if (is.null(k$strata)) rep(1, length(k$time)) else k$strata
  weight <- if (is.null(k$weight)) rep(1, length(k$time)) else k$weight
  dead <- k$event > 0
  keys <- unique(data.frame(s = strata[dead], t = k$time[dead]))
  result <- list()
  for (i in seq_len(nrow(keys))) {
    at_risk <- which(strata == keys$s[i] & entry < keys$t[i] & k$time >= keys$t[i])
    tied <- which(strata == keys$s[i] & k$time == keys$t[i] & dead)
    d <- length(tied)
    for (l in seq_len(d)) {
      share <- rep(1, length(at_risk))
      if (ties == "efron") share[at_risk %in% tied] <- 1 - (l - 1) / d
      result[[length(result) + 1]] <- list(rows = at_risk, share = share * weight[at_risk], weight = sum(weight[tied]) / d)
    }
  }
  list(terms = result, events = which(dead), weight = weight)
}

penalised <- function(beta, x, sets) {
  eta <- drop(x %*% beta)
  p <- ncol(x)
  value <- sum((sets$weight * eta)[sets$events])
  score <- colSums((sets$weight * x)[sets$events, , drop = FALSE])
  information <- matrix(0, p, p)
  moments <- lapply(sets$terms, function(s) {
    r <- s$share * exp(eta[s$rows])
    xs <- x[s$rows, , drop = FALSE]
    mean_ <- colSums(r * xs) / sum(r)
    list(r = r / sum(r), total = sum(r), mean = mean_, centred = sweep(xs, 2, mean_), weight = s$weight)
  })
  for (m in moments) {
    value <- value - m$weight * log(m$total)
    score <- score - m$weight * m$mean
    information <- information + m$weight * crossprod(m$centred * sqrt(m$r))
  }
  inverse <- solve(information)
  for (m in moments) {
    q <- rowSums((m$centred %*% inverse) * m$centred)
    score <- score + 0.5 * m$weight * colSums(m$r * q * m$centred)
  }
  determinant_ <- determinant(information)$modulus
  list(value = value + 0.5 * c(determinant_), gradient = score, information = information)
}

climb <- function(x, sets, beta, free) {
  if (!length(free)) return(beta)
  gradient <- function(b) {
    beta[free] <- b
    penalised(beta, x, sets)$gradient[free]
  }
  for (iteration in 1:60) {
    g <- gradient(beta[free])
    h <- jacobian(gradient, beta[free])
    step <- tryCatch(-solve(h, g), error = function(e) g)
    if (any(eigen((h + t(h)) / 2)$values >= 0)) step <- solve(penalised(beta, x, sets)$information[free, free], g)
    step <- step * min(1, 1 / max(abs(step)))
    here <- penalised(beta, x, sets)$value
    repeat {
      new <- beta
      new[free] <- beta[free] + step
      there <- tryCatch(penalised(new, x, sets)$value, error = function(e) -Inf)
      if (is.finite(there) && there >= here - 1e-10) break
      step <- step / 2
    }
    beta <- new
    if (max(abs(step)) < 1e-12) break
  }
  stopifnot(max(abs(step)) < 1e-8)
  beta
}

one_fit <- function(k, ties) {
  x <- as.matrix(k$x)
  p <- ncol(x)
  spread <- apply(x, 2, sd)
  moved <- scale(x)
  sets <- terms_of(k, ties)
  beta <- climb(moved, sets, rep(0, p), seq_len(p))
  top <- penalised(beta, moved, sets)
  limit <- top$value - qchisq(0.95, 1) / 2
  profile <- function(j) {
    others <- setdiff(seq_len(p), j)
    height <- function(b) {
      start <- beta
      start[j] <- b
      penalised(climb(moved, sets, start, others), moved, sets)$value
    }
    reach <- 0.5
    end <- function(sign) {
      far <- beta[j] + sign * reach
      while (height(far) > limit) far <- beta[j] + 2 * (far - beta[j])
      uniroot(function(b) height(b) - limit, sort(c(beta[j], far)), tol = 1e-13)$root
    }
    c(low = end(-1), high = end(1), ratio = 2 * (top$value - height(0)))
  }
  profiles <- sapply(seq_len(p), profile)
  units <- sum(log(spread))
  list(
    ties = ties, coefficient = I(beta / spread), covariance = solve(top$information) / outer(spread, spread),
    low = I(profiles["low", ] / spread), high = I(profiles["high", ] / spread), chi_square = I(profiles["ratio", ]),
    p_value = I(pchisq(profiles["ratio", ], 1, lower.tail = FALSE)),
    log_likelihood = I(c(penalised(rep(0, p), moved, sets)$value, top$value) + units)
  )
}

rows <- function(k, keep, columns) {
  # Weights count rows here.
  every <- lapply(k[c("time", "event", "entry", "weight", "strata")], function(v) if (is.null(v)) NULL else v[keep])
  c(every, list(names = columns, x = k$x[keep, columns, drop = FALSE]))
}

separated <- function() {
  set.seed(99)
  n <- 40
  mutation <- rep(0:1, c(28, 12))
  age <- round(rnorm(n, 60, 8))
  time <- ceiling(rexp(n, 0.1 * exp(0.03 * (age - 60))))
  list(
    time = time, event = as.numeric(mutation == 0 & time < 16), strata = rep(1:2, 20), names = c("mutation", "age"),
    x = cbind(mutation = mutation, age = age)
  )
}

cases_ <- make_cases()
chosen <- list(
  separated = separated(),
  separated_in_one_stratum = within(separated(), strata <- NULL),
  veteran = rows(within(cases_$veteran, strata <- NULL), seq(1, 137, 2), c("trt", "karno", "age")),
  heart = rows(cases_$heart, 1:80, c("age", "surgery", "transplant")),
  tied_count = rows(cases_$tied_count, 1:70, c("a", "b"))
)
value <- lapply(chosen, function(k) {
  list(
    data = lapply(k, function(v) if (is.matrix(v) || is.null(v)) v else I(v)),
    fits = lapply(c("breslow", "efron"), function(ties) one_fit(k, ties))
  )
})
write_reference(value, "cox_firth.R")
