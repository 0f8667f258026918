# The data sets and the writer that the other scripts here share. Run directly, it writes the data: cases.json.
#
# Each case is what an analyst would hand to riskset: time, event (0 censored, k cause), optional entry, weight, strata,
# cluster, a group to compare and a numeric matrix x. Numbers are cut to ten digits before R fits them, so that the
# JSON holds exactly the data that were fitted.

suppressPackageStartupMessages({
  library(survival)
  library(jsonlite)
})

# Groups sort as Python sorts text, whatever the machine's language.
invisible(Sys.setlocale("LC_COLLATE", "C"))

here <- function() {
  argument <- grep("^--file=", commandArgs(FALSE), value = TRUE)
  dirname(normalizePath(sub("^--file=", "", argument[1])))
}

write_reference <- function(value, name) {
  about <- list(
    script = name, R = R.version.string, survival = as.character(packageVersion("survival")),
    jsonlite = as.character(packageVersion("jsonlite")), seed = 20250601
  )
  text <- toJSON(list(about = about, value = value),
    digits = NA, auto_unbox = TRUE, na = "null", null = "null", matrix = "rowmajor"
  )
  # NaN and Inf have no JSON form; jsonlite writes them as text, the reader expects null.
  text <- gsub("\"(NA|NaN|-?Inf)\"", "null", text)
  connection <- file(file.path(here(), sub("[.]R$", ".json", name)), "wb")
  writeBin(charToRaw(enc2utf8(paste0(text, "\n"))), connection)
  close(connection)
}

case <- function(data, time, event, x, group, entry = NULL, weight = NULL, strata = NULL, cluster = NULL,
                 terms = list()) {
  used <- unique(c(time, event, entry, weight, strata, cluster, group))
  keep <- complete.cases(data[, used]) & complete.cases(x)
  pick <- function(name) if (is.null(name)) NULL else data[[name]][keep]
  x <- signif(as.matrix(x)[keep, , drop = FALSE], 10)
  number <- function(v) if (is.null(v)) NULL else signif(as.numeric(v), 10)
  list(
    time = number(pick(time)), event = number(pick(event)), entry = number(pick(entry)),
    weight = number(pick(weight)), strata = number(pick(strata)), cluster = number(pick(cluster)),
    group = as.character(pick(group)), names = colnames(x), x = x, terms = terms
  )
}

dummies <- function(data, name) {
  f <- factor(data[[name]])
  m <- sapply(levels(f)[-1], function(level) as.numeric(f == level))
  colnames(m) <- paste0(name, levels(f)[-1])
  m
}

tied_data <- function() {
  set.seed(20250601)
  n <- 160
  d <- data.frame(a = round(rnorm(n), 2), b = rbinom(n, 1, 0.4), centre = sample(1:3, n, TRUE), person = sample(1:60, n, TRUE))
  d$arm <- ifelse(d$b == 1, "low", "zero")
  length_ <- ceiling(rexp(n, 0.12 * exp(0.4 * d$a - 0.3 * d$b)))
  d$start <- sample(0:4, n, TRUE)
  d$stop <- d$start + pmin(length_, 9)
  d$status <- as.numeric(length_ <= 9 & runif(n) < 0.8)
  d$fraction <- round(runif(n, 0.3, 2.5), 2)
  d$count <- sample(1:3, n, TRUE)
  d
}

make_cases <- function() {
  d <- tied_data()
  two_causes <- transform(pbc, lbili = log(bili), lalb = log(albumin), weight = rep_len(c(0.7, 1.3, 1, 2.1), nrow(pbc)))
  wide <- transform(rotterdam, s2 = as.numeric(size == "20-50"), s3 = as.numeric(size == ">50"))
  tied_x <- d[, c("a", "b")]
  list(
    lung = case(transform(lung, dead = status == 2), "time", "dead", lung[, c("age", "sex", "ph.ecog", "wt.loss")], "sex",
      strata = "inst", cluster = "inst"
    ),
    veteran = case(transform(veteran, old = age > 60), "time", "status",
      cbind(trt = veteran$trt, dummies(veteran, "celltype"), veteran[, c("karno", "diagtime", "age", "prior")]),
      "celltype",
      strata = "old",
      terms = list(celltype = paste0("celltype", levels(veteran$celltype)[-1]))
    ),
    colon = case(colon, "time", "status",
      cbind(dummies(colon, "rx"), colon[, c("sex", "age", "obstruct", "nodes")]), "rx",
      strata = "etype", cluster = "id", terms = list(rx = paste0("rx", levels(colon$rx)[-1]))
    ),
    rotterdam = case(wide, "dtime", "death",
      wide[, c("age", "meno", "s2", "s3", "grade", "nodes", "hormon", "chemo")], "size",
      strata = "year", terms = list(size = c("s2", "s3"))
    ),
    gbsg = case(gbsg, "rfstime", "status", gbsg[, c("age", "meno", "size", "nodes", "pgr", "er")], "hormon",
      strata = "grade"
    ),
    pbc = case(two_causes, "time", "status", two_causes[, c("age", "edema", "lbili", "lalb")], "stage",
      weight = "weight", strata = "sex"
    ),
    heart = case(transform(heart, transplant = as.numeric(transplant) - 1), "stop", "event",
      cbind(heart[, c("age", "year", "surgery")], transplant = as.numeric(heart$transplant) - 1), "transplant",
      entry = "start", cluster = "id"
    ),
    tied_fraction = case(d, "stop", "status", tied_x, "arm",
      entry = "start", weight = "fraction", strata = "centre", cluster = "person"
    ),
    tied_count = case(d, "stop", "status", tied_x, "arm", entry = "start", weight = "count", strata = "centre"),
    tied_plain = case(d, "stop", "status", tied_x, "arm", strata = "centre", cluster = "person")
  )
}

# The outcome as survival takes it, any cause being the event.
outcome <- function(k) {
  status <- as.numeric(k$event > 0)
  if (is.null(k$entry)) Surv(k$time, status) else Surv(k$entry, k$time, status)
}

if (any(grepl("cases[.]R$", grep("^--file=", commandArgs(FALSE), value = TRUE)))) {
  write_reference(make_cases(), "cases.R")
}
