# Fine-Gray models by cmprsk::crr, and by survival::finegray with coxph where the definitions agree: fine_gray.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "competing_data.R"))

# crr's line search stops on rounding before its coefficients are exact: take Newton's last steps from its own score.
exact_crr <- function(k, x, cause, ...) {
  fit <- crr(k$time, k$event, x, failcode = cause, gtol = 1e-12, maxiter = 30, ...)
  for (i in 1:4) {
    fit <- crr(k$time, k$event, x, failcode = cause, init = fit$coef + as.vector(solve(fit$inf, fit$score)), maxiter = 0, ...)
  }
  fit
}

places_of <- function(m) unique(round(seq(1, m, length.out = min(m, 12))))

fitted_crr <- function(k, cause) {
  fit <- exact_crr(k, k$x, cause)
  places <- places_of(length(fit$uftime))
  at <- k$x[c(1, 7), , drop = FALSE]
  predicted <- predict(fit, at)
  list(
    cause = cause, coefficient = I(unname(fit$coef)), covariance = unname(fit$var), naive_covariance = unname(fit$invinf),
    log_likelihood = I(c(fit$loglik.null, fit$loglik)), places = I(places - 1L), time = I(fit$uftime[places]),
    baseline = I(cumsum(fit$bfitj)[places]), at = at, incidence = t(predicted[places, -1])
  )
}

# The formulas of Fine & Gray (1999) written out with n x K matrices: for strata, weights, clusters and several groups
# of censoring, which crr has not, or (its q(u) leaves out later events of the other groups) not as the paper has it.
direct <- function(k, cause, beta, strata, group, weight, cluster = NULL) {
  x <- k$x
  n <- nrow(x)
  before <- function(g, t) {
    mine <- group == g
    u <- sort(unique(k$time[mine & k$event == 0]))
    u <- u[u < t]
    if (t > max(k$time[mine])) return(0)
    prod(vapply(u, function(s) {
      1 - sum(weight[mine & k$event == 0 & k$time == s]) / sum(weight[mine & k$time >= s])
    }, 0))
  }
  own <- mapply(before, group, k$time)
  theta <- as.vector(exp(x %*% beta))
  competing <- !(k$event %in% c(0, cause))
  information <- matrix(0, ncol(x), ncol(x))
  eta <- matrix(0, n, ncol(x))
  pull <- lapply(unique(group), function(g) {
    u <- sort(unique(k$time[group == g & k$event == 0]))
    list(group = g, time = u, q = matrix(0, length(u), ncol(x)))
  })
  baseline <- NULL
  for (s in sort(unique(strata))) {
    mine <- strata == s
    for (t in sort(unique(k$time[mine & k$event == cause]))) {
      now <- sapply(sort(unique(group)), before, t)
      now <- now[match(group, sort(unique(group)))]
      w <- mine * ifelse(k$time >= t, 1, ifelse(competing, now / own, 0))
      s0 <- sum(weight * w * theta)
      mean_ <- colSums(weight * w * theta * x) / s0
      event <- mine & k$event == cause & k$time == t
      jump <- sum(weight[event]) / s0
      z <- sweep(x, 2, mean_)
      information <- information + jump * crossprod(z * sqrt(weight * w * theta))
      eta <- eta - z * w * theta * jump
      eta[event, ] <- eta[event, , drop = FALSE] + z[event, , drop = FALSE]
      baseline <- c(baseline, jump)
      for (j in seq_along(pull)) {
        for (i in which(pull[[j]]$time <= t)) {
          gone <- competing & group == pull[[j]]$group & k$time < pull[[j]]$time[i]
          pull[[j]]$q[i, ] <- pull[[j]]$q[i, ] + colSums((weight * w * theta * jump * z)[gone, , drop = FALSE])
        }
      }
    }
  }
  for (one in pull) {
    for (i in seq_along(one$time)) {
      u <- one$time[i]
      mine <- group == one$group & k$time >= u
      risk <- sum(weight[mine])
      gone <- group == one$group & k$event == 0 & k$time == u
      share <- sum(weight[gone]) / risk
      for (j in which(mine)) eta[j, ] <- eta[j, ] + one$q[i, ] / risk * (gone[j] - share)
    }
  }
  influence <- (weight * eta) %*% solve(information)
  if (!is.null(cluster)) influence <- rowsum(influence, cluster)
  list(
    score = colSums(weight * eta), naive_covariance = unname(solve(information)), covariance = unname(crossprod(influence)), baseline = I(cumsum(baseline)[places_of(length(baseline))])
  )
}

# Newton's method on the score above, from 0.
solved <- function(k, cause, strata, group, weight, cluster = NULL) {
  beta <- rep(0, ncol(k$x))
  for (i in 1:9) {
    fit <- direct(k, cause, beta, strata, group, weight, cluster)
    beta <- beta + as.vector(fit$naive_covariance %*% fit$score)
  }
  fit$score <- NULL
  c(list(coefficient = I(beta)), fit)
}

# coxph on the rows that finegray writes out. Without ties of events and censorings it is the same likelihood; at a tie
# finegray takes those with an event out of the risk set of censoring, and cmprsk does not.
expanded <- function(k, cause, strata, weight) {
  n <- length(k$time)
  d <- data.frame(time = k$time, state = factor(k$event, sort(unique(c(0, k$event)))), s = strata, row = seq_len(n), k$x)
  names_ <- names(d)[-(1:4)]
  d$w <- weight
  long <- finegray(Surv(time, state) ~ . + strata(s) - s - w, data = d, etype = as.character(cause), weights = w)
  control <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 50)
  cox <- coxph(
    as.formula(paste("Surv(fgstart, fgstop, fgstatus) ~", paste(names_, collapse = "+"), "+ strata(s)")),
    data = transform(long, s = d$s[row]), weights = fgwt, ties = "breslow", control = control
  )
  list(coefficient = I(unname(cox$coefficients)), naive_covariance = unname(if (is.null(cox$naive.var)) cox$var else cox$naive.var))
}

extended <- function(k) {
  one <- rep(1, length(k$time))
  weight <- if (is.null(k$weight)) one else k$weight
  result <- list(stratified = solved(k, 1, k$strata, k$strata, weight), pooled = solved(k, 1, k$strata, one, weight))
  if (is.null(k$weight)) {
    grouped <- exact_crr(k, k$x, 1, cengroup = k$group)$coef
    result$grouped <- c(list(coefficient = I(unname(grouped))), direct(k, 1, grouped, one, k$group, one))
  } else {
    result$weighted <- solved(k, 1, one, one, weight)
  }
  if (!is.null(k$cluster)) result$clustered <- solved(k, 1, one, one, weight, k$cluster)
  if (!any(duplicated(k$time))) result$expanded <- lapply(list(one, k$strata), function(s) expanded(k, 1, s, weight))
  result
}

one_case <- function(k) {
  whole <- written_out(k)
  causes <- sort(unique(setdiff(k$event, 0)))
  list(
    crr = if (is.null(whole$weight)) lapply(causes, function(cause) fitted_crr(whole, cause)),
    # The same formulas, the code being another: crr's own variance must come out where crr has one.
    direct = if (is.null(whole$weight)) {
      one <- rep(1, length(whole$time))
      direct(whole, 1, exact_crr(whole, whole$x, 1)$coef, one, one, one)[c("naive_covariance", "covariance")]
    },
    extended = if (is.null(k$weight) || !is.null(whole$weight)) extended(k)
  )
}

cases <- Filter(function(k) is.null(k$entry), make_competing())
write_competing(lapply(cases, one_case), "fine_gray.R")
