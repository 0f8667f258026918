# Data with competing causes that aalen_johansen.R, gray_test.R and fine_gray.R share. Run directly, it writes them:
# competing_data.json. Events are coded 0 = censored, k = cause k.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "cases.R"))
suppressPackageStartupMessages(library(cmprsk))

write_competing <- function(value, name) write_reference(list(cmprsk = as.character(packageVersion("cmprsk")), cases = value), name)

tied_causes <- function() {
  set.seed(20250602)
  n <- 150
  d <- data.frame(
    a = round(rnorm(n), 2), b = rbinom(n, 1, 0.4), arm = sample(c("a", "b", "c"), n, TRUE),
    centre = sample(1:3, n, TRUE), person = sample(1:50, n, TRUE)
  )
  one <- ceiling(rexp(n, 0.08 * exp(0.5 * d$a - 0.4 * d$b)))
  two <- ceiling(rexp(n, 0.06 * exp(-0.3 * d$a)))
  three <- ceiling(rexp(n, 0.03))
  end <- sample(4:12, n, TRUE)
  d$length <- pmin(one, two, three, end)
  d$event <- ifelse(end < pmin(one, two, three), 0, ifelse(d$length == one, 1, ifelse(d$length == two, 2, 3)))
  d$start <- sample(0:4, n, TRUE)
  d$stop <- d$start + d$length
  d$fraction <- round(runif(n, 0.3, 2.5), 2)
  d$count <- sample(1:3, n, TRUE)
  d
}

make_competing <- function() {
  m <- transform(mgus2,
    time = ifelse(pstat == 1, ptime, futime), event = ifelse(pstat == 1, 1, 2 * death), male = as.numeric(sex == "M"),
    decade = floor(dxyr / 10), old = ifelse(age < 60, "a: below 60", ifelse(age < 75, "b: 60 to 74", "c: 75 and above"))
  )
  p <- transform(pbc, lbili = log(bili), lalb = log(albumin))
  tr <- transform(transplant,
    event_code = c(censored = 0, death = 1, ltx = 2, withdraw = 3)[as.character(event)], male = as.numeric(sex == "m"),
    late = year - 1990, first_years = as.numeric(year < 1995)
  )
  tr <- tr[tr$futime > 0, ]
  set.seed(10)
  help_ <- data.frame(time = rexp(200), event = sample(0:2, 200, replace = TRUE))
  help_x <- matrix(runif(600), nrow = 200, dimnames = list(NULL, c("x1", "x2", "x3")))
  help_$group <- rep_len(c("x", "y", "y", "z"), 200)
  help_$strata <- rep_len(c(1, 2, 3, 1, 2), 200)
  d <- tied_causes()
  tied_x <- d[, c("a", "b")]
  list(
    mgus2 = case(m, "time", "event", m[, c("age", "male", "hgb", "mspike")], "old", strata = "decade"),
    pbc = case(p, "time", "status", p[, c("age", "edema", "lbili", "lalb")], "stage", strata = "sex"),
    transplant = case(tr, "futime", "event_code", tr[, c("age", "male", "late")], "abo", strata = "first_years"),
    crr_help = case(help_, "time", "event", help_x, "group", strata = "strata"),
    tied_plain = case(d, "length", "event", tied_x, "arm", strata = "centre", cluster = "person"),
    tied_count = case(d, "length", "event", tied_x, "arm", weight = "count", strata = "centre"),
    tied_fraction = case(d, "length", "event", tied_x, "arm", weight = "fraction", strata = "centre", cluster = "person"),
    late_plain = case(d, "stop", "event", tied_x, "arm", entry = "start"),
    late_fraction = case(d, "stop", "event", tied_x, "arm", entry = "start", weight = "fraction", cluster = "person")
  )
}

# Whole-number weights count rows: R has no such notion, so the rows are written out.
written_out <- function(k) {
  if (is.null(k$weight) || any(k$weight != floor(k$weight))) {
    return(k)
  }
  rows <- rep(seq_along(k$time), k$weight)
  for (name in c("time", "event", "entry", "strata", "cluster", "group")) if (!is.null(k[[name]])) k[[name]] <- k[[name]][rows]
  k$x <- k$x[rows, , drop = FALSE]
  k$weight <- NULL
  k
}

if (any(grepl("competing_data[.]R$", grep("^--file=", commandArgs(FALSE), value = TRUE)))) {
  write_competing(make_competing(), "competing_data.R")
}
