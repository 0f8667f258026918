source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "_common.R"))

continuous <- function(x, y) list(x1 = x, x0 = y, value = (mean(x) - mean(y)) / sqrt((var(x) + var(y)) / 2))

binary <- function(v) {
  p <- v[1] / v[2]; q <- v[3] / v[4]
  list(counts = v, value = (p - q) / sqrt((p * (1 - p) + q * (1 - q)) / 2))
}

# All k categories with a generalised inverse (eigenvalues above 0): no category needs to be left out.
categorical <- function(a, b) {
  p <- a / sum(a); q <- b / sum(b)
  s <- (diag(p) - p %o% p + diag(q) - q %o% q) / 2
  e <- eigen(s, symmetric = TRUE)
  used <- e$values > 1e-12
  list(counts1 = a, counts0 = b, value = sqrt(sum((t(e$vectors[, used]) %*% (p - q))^2 / e$values[used])))
}

write_reference(list(
  continuous = list(continuous(mtcars$mpg[mtcars$am == 1], mtcars$mpg[mtcars$am == 0]),
                    continuous(ToothGrowth$len[1:30], ToothGrowth$len[31:60])),
  binary = list(binary(c(80, 112, 62, 100)), binary(c(1, 40, 0, 50)), binary(c(3, 4, 1, 90))),
  categorical = list(categorical(c(60, 40, 9, 3), c(41, 50, 6, 3)), categorical(c(30, 70), c(45, 55)),
                     categorical(c(5, 0, 12), c(1, 7, 9)), categorical(c(20, 30, 10, 5, 2), c(18, 33, 9, 6, 1)))
))
