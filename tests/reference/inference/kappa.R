source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "_common.R"))

# Standard error by the delta method on multinomial cell proportions, with a numerical gradient: it shares no formula
# with the closed form that is tested.
kappa <- function(p) {
  k <- sqrt(length(p)); m <- matrix(p, k)
  pe <- sum(rowSums(m) * colSums(m))
  (sum(diag(m)) - pe) / (1 - pe)
}
gradient <- function(p, h = 1e-4) {
  vapply(seq_along(p), function(i) {
    e <- replace(numeric(length(p)), i, h)
    (8 * (kappa(p + e) - kappa(p - e)) - (kappa(p + 2 * e) - kappa(p - 2 * e))) / (12 * h)
  }, 0)
}
one <- function(x, level) {
  p <- as.numeric(x) / sum(x); g <- gradient(p)
  se <- sqrt((sum(g^2 * p) - sum(g * p)^2) / sum(x))
  z <- qnorm((1 + level) / 2)
  list(table = x, level = level, kappa = kappa(p), low = kappa(p) - z * se, high = kappa(p) + z * se)
}
write_reference(list(cases = list(
  one(rbind(c(53, 5, 2), c(11, 14, 5), c(1, 6, 3)), 0.95),
  one(rbind(c(40, 9), c(6, 45)), 0.95),
  one(rbind(c(61, 31, 2), c(24, 55, 9), c(1, 7, 12)), 0.9),
  one(rbind(c(2, 30), c(30, 40)), 0.95))))
