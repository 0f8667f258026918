# Restricted cubic spline bases and default knots as Hmisc has them: splines.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))
suppressPackageStartupMessages(library(Hmisc))

set.seed(20250601)

inputs <- list(
  age = veteran$age, karno = veteran$karno, pgr = rotterdam$pgr[1:800], er_gbsg = gbsg$er, bili = pbc$bili,
  small = signif(rnorm(40, 50, 10), 8), exponential = signif(rexp(300), 8),
  clump_low = c(rep(0, 40), signif(rexp(160), 8)), clump_high = c(rep(100, 30), signif(runif(200, 0, 99), 8)),
  clump_both = c(rep(0, 20), rep(10, 20), signif(runif(200, 1, 9), 8)), offset = signif(1e7 + runif(150, 0, 50), 11)
)

one <- function(x, k) {
  warned <- FALSE
  knots <- withCallingHandlers(rcspline.eval(x, nk = k, knots.only = TRUE), warning = function(w) {
    warned <<- TRUE
    invokeRestart("muffleWarning")
  })
  # Where Hmisc goes on with other or fewer knots than asked, we refuse.
  if (warned || length(knots) != k) return(list(k = k, knots = NULL))
  # Digits that the JSON keeps, so that both sides take the same knots.
  knots <- signif(knots, 13)
  at <- sort(x)[unique(round(seq(1, length(x), length.out = 9)))]
  outside <- c(min(x) - diff(range(x)), max(x) + diff(range(x)))
  basis <- rcspline.eval(c(at, outside), knots = knots, inclx = TRUE, norm = 2)
  list(k = k, knots = I(unname(knots)), at = I(c(at, outside)), basis = unname(as.matrix(basis[, ])))
}

about_hmisc <- as.character(packageVersion("Hmisc"))
write_reference(list(
  hmisc = about_hmisc,
  inputs = lapply(inputs, function(x) list(x = I(x), splines = lapply(3:7, function(k) one(x, k))))
), "splines.R")
