source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "_common.R"))

tables <- list(
  orr = rbind(c(80, 32), c(62, 38)), dcr = rbind(c(97, 15), c(82, 18)), small = rbind(c(3, 1), c(1, 3)),
  separated = rbind(c(5, 0), c(0, 6)), lopsided = rbind(c(1, 24), c(5, 2)), large = rbind(c(700, 300), c(620, 380)),
  near = rbind(c(10, 10), c(10, 11)), orr_transposed = rbind(c(80, 62), c(32, 38)), tied = rbind(c(7, 8), c(12, 3)),
  job = rbind(c(1, 2, 1, 0), c(3, 3, 6, 1), c(10, 10, 14, 9), c(6, 7, 12, 11)),
  response = rbind(c(4, 76, 17, 15), c(2, 60, 20, 18)), sites = rbind(c(60, 40, 9, 3), c(41, 50, 6, 3)),
  three = rbind(c(8, 1, 2), c(2, 7, 1), c(0, 3, 9)), tall = rbind(c(2, 9), c(7, 3), c(1, 1), c(0, 6), c(5, 5)))

one <- function(name) {
  x <- tables[[name]]
  plain <- suppressWarnings(chisq.test(x, correct = FALSE))
  out <- list(name = name, table = x, chi_square = plain$statistic[[1]], df = plain$parameter[[1]], p = plain$p.value,
              expected = unname(plain$expected), fisher = fisher.test(x, workspace = 2e8)$p.value)
  if (all(dim(x) == 2)) {
    yates <- suppressWarnings(chisq.test(x, correct = TRUE))
    # Half the probability of the observed table is taken from Fisher's P.
    out <- c(out, list(yates = yates$statistic[[1]], p_yates = yates$p.value,
      mid_p = out$fisher - dhyper(x[1, 1], sum(x[1, ]), sum(x[2, ]), sum(x[, 1])) / 2))
  }
  out
}

# Unconditional tests by their definition: every pair of counts, the supremum by a grid and then optimize().
largest <- function(region, n1, n0) {
  p <- function(pi) sum(outer(dbinom(0:n1, n1, pi), dbinom(0:n0, n0, pi))[region])
  grid <- seq(0.0005, 0.9995, by = 0.0005)
  at <- vapply(grid, p, 0)
  k <- order(at, decreasing = TRUE)[1:4]
  max(vapply(k, function(i) optimize(p, grid[i] + c(-0.0005, 0.0005), maximum = TRUE, tol = 1e-12)$objective, 0), at)
}
unconditional <- function(name) {
  x <- tables[[name]]
  n1 <- sum(x[1, ]); n0 <- sum(x[2, ])
  z <- outer(0:n1, 0:n0, function(a, b) {
    p <- (a + b) / (n1 + n0)
    ifelse(p == 0 | p == 1, 0, (a / n1 - b / n0) / sqrt(p * (1 - p) * (1 / n1 + 1 / n0)))
  })
  seen <- z[x[1, 1] + 1, x[2, 1] + 1]
  less <- outer(0:n1, 0:n0, function(a, b) phyper(a, n1, n0, a + b))
  more <- outer(0:n1, 0:n0, function(a, b) phyper(a - 1, n1, n0, a + b, lower.tail = FALSE))
  at <- function(m) m[x[1, 1] + 1, x[2, 1] + 1]
  list(name = name, table = x, z = seen, barnard = largest(abs(z) >= abs(seen) - 1e-9, n1, n0),
       boschloo = min(1, 2 * min(largest(less <= at(less) * (1 + 1e-7), n1, n0),
                                 largest(more <= at(more) * (1 + 1e-7), n1, n0))))
}

write_reference(list(
  tables = lapply(names(tables), one),
  unconditional = lapply(c("orr", "dcr", "small", "separated", "lopsided", "near", "orr_transposed", "tied"), unconditional)
))
