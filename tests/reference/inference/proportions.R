source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "_common.R"))

single <- list(c(80, 112), c(62, 100), c(97, 112), c(82, 100), c(0, 17), c(17, 17), c(1, 1), c(3, 2500), c(52, 211))
one <- function(k, n, level) {
  list(events = k, n = n, level = level,
       wilson = as.numeric(prop.test(k, n, correct = FALSE, conf.level = level)$conf.int),
       clopper_pearson = as.numeric(binom.test(k, n, conf.level = level)$conf.int))
}

pairs <- list(c(80, 112, 62, 100), c(97, 112, 82, 100), c(56, 70, 48, 80), c(0, 10, 0, 20), c(10, 10, 0, 20),
              c(5, 56, 0, 29), c(1, 3, 2, 900))
wilson <- function(k, n, level) suppressWarnings(prop.test(k, n, correct = FALSE, conf.level = level)$conf.int)
two <- function(v, level) {
  p1 <- v[1] / v[2]; p0 <- v[3] / v[4]
  w1 <- wilson(v[1], v[2], level); w0 <- wilson(v[3], v[4], level)
  list(counts = v, level = level, difference = p1 - p0,
       low = p1 - p0 - sqrt((p1 - w1[1])^2 + (w0[2] - p0)^2),
       high = p1 - p0 + sqrt((w1[2] - p1)^2 + (p0 - w0[1])^2))
}

# The logit interval is the Wald interval of a logistic regression with one binary covariate.
odds <- function(v, level, add = 0) {
  a <- v[1] + add; b <- v[2] - v[1] + add; c <- v[3] + add; d <- v[4] - v[3] + add
  fit <- suppressWarnings(glm(cbind(c(c, a), c(d, b)) ~ c(0, 1), family = binomial,
                              control = glm.control(epsilon = 1e-14, maxit = 100)))
  est <- summary(fit)$coefficients[2, ]
  z <- qnorm((1 + level) / 2)
  list(counts = v, level = level, value = exp(est[[1]]), low = exp(est[[1]] - z * est[[2]]),
       high = exp(est[[1]] + z * est[[2]]))
}

suppressWarnings(write_reference(list(
  single = c(lapply(single, function(v) one(v[1], v[2], 0.95)), list(one(80, 112, 0.90), one(80, 112, 0.999))),
  difference = c(lapply(pairs, two, level = 0.95), list(two(pairs[[1]], 0.9))),
  odds_ratio = c(lapply(pairs[c(1, 2, 3, 7)], odds, level = 0.95), list(odds(pairs[[1]], 0.9))),
  odds_ratio_haldane = lapply(pairs[c(1, 5, 6)], odds, level = 0.95, add = 0.5)
)))
