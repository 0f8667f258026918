# R's survival package on one task, with the same command line and the same JSON as _run.py:
#   Rscript benchmarks/peers/r.R TASK ROUTE DATA [SECONDS]
# Without arguments it prints its version and its routes. Timed is what a user would call; reading the data is not.

suppressPackageStartupMessages({
  library(survival)
  library(jsonlite)
})

read_at <- c(182, 365, 1095, 1825)
at_most <- 7

# An array of _simulate.py: version 1 of NumPy's file format, C order, little endian.
read_npy <- function(folder, set, name) {
  file <- file(file.path(folder, paste0(set, ".", name, ".npy")), "rb")
  on.exit(close(file))
  readBin(file, "raw", 8)
  header <- rawToChar(readBin(file, "raw", readBin(file, "integer", 1, size = 2, endian = "little")))
  shape <- as.integer(strsplit(gsub(".*'shape': \\(([0-9, ]+)\\).*", "\\1", header), ", *")[[1]])
  n <- prod(shape)
  values <- if (grepl("<f8", header)) {
    readBin(file, "double", n, endian = "little")
  } else if (grepl("<i8", header)) {
    readBin(file, "integer", 2 * n, endian = "little")[c(TRUE, FALSE)] # small numbers: the lower half says all
  } else {
    readBin(file, "logical", n, size = 1)
  }
  if (length(shape) == 2) matrix(values, shape[1], shape[2], byrow = TRUE) else values
}

memory <- function(field) {
  if (!file.exists("/proc/self/status")) return(NA)
  line <- grep(paste0("^", field, ":"), readLines("/proc/self/status"), value = TRUE)
  1024 * as.numeric(gsub("[^0-9]", "", line))
}

# Wall and processor seconds of each time, and the first time's peak memory beyond the data.
measure <- function(work, limit) {
  invisible(gc())
  before <- memory("VmRSS")
  if (!is.na(before)) cat("5", file = "/proc/self/clear_refs")
  seconds <- processor <- numeric()
  while (length(seconds) < at_most && sum(seconds) < limit) {
    start <- proc.time()
    wall <- Sys.time()
    done <- work()
    seconds <- c(seconds, as.numeric(Sys.time() - wall, units = "secs"))
    used <- proc.time() - start
    processor <- c(processor, used[["user.self"]] + used[["sys.self"]])
    if (length(seconds) == 1) peak <- memory("VmHWM") - before
  }
  list(seconds = I(seconds), processor = I(processor), units = done$units, peak_bytes = peak, result = done$result)
}

cox_data <- function(folder, set, kind) {
  time <- as.double(read_npy(folder, set, if (kind == "days") "day" else "exact"))
  list(time = time, event = as.double(read_npy(folder, set, "event")), x = read_npy(folder, set, "x"))
}

bare_fit <- function(d) {
  coxph.fit(d$x, Surv(d$time, d$event), NULL, NULL, NULL, coxph.control(), NULL, "efron", NULL, resid = FALSE)
}

cox_routes <- list(
  coxph = function(d) coxph(Surv(time, event) ~ x, data = d),
  coxph.fit = bare_fit
)

# R looks an argument up when it is first used: `force` keeps each route's own.
cox <- function(set, kind, fit) {
  force(list(set, kind, fit))
  function(folder) {
    d <- cox_data(folder, set, kind)
    function() {
      done <- fit(d)
      variance <- if (is.null(done$var)) vcov(done) else done$var
      list(result = list(
        coefficient = I(unname(done$coefficients)), standard_error = I(sqrt(diag(variance))),
        log_likelihood = I(done$loglik)
      ), units = 1)
    }
  }
}

arms <- function(folder, kind) {
  time <- as.double(read_npy(folder, "arms", if (kind == "days") "day" else "exact"))
  list(time = time, event = as.double(read_npy(folder, "arms", "event")), group = read_npy(folder, "arms", "group"))
}

kaplan_meier <- function(kind) {
  force(kind)
  function(folder) {
    d <- arms(folder, kind)
    function() {
      curve <- survfit(Surv(time, event) ~ 1, data = d)
      list(result = list(survival = I(summary(curve, times = read_at)$surv)), units = 1)
    }
  }
}

logrank <- function(kind) {
  force(kind)
  function(folder) {
    d <- arms(folder, kind)
    function() list(result = list(chi_square = I(survdiff(Surv(time, event) ~ group, data = d)$chisq)), units = 1)
  }
}

bootstrap <- function(fit, replicates) {
  force(list(fit, replicates))
  function(folder) {
    d <- cox_data(folder, "small", "days")
    set.seed(1)
    rows <- replicate(replicates, sample.int(length(d$time), replace = TRUE), simplify = FALSE)
    samples <- lapply(rows, function(i) list(time = d$time[i], event = d$event[i], x = d$x[i, ]))
    function() {
      drawn <- sapply(samples, function(sample) fit(sample)$coefficients)
      spread <- apply(drawn, 1, function(b) diff(quantile(b, c(0.25, 0.75), names = FALSE)))
      list(result = list(spread = I(unname(spread))), units = replicates)
    }
  }
}

permutation <- function(folder) {
  time <- as.double(read_npy(folder, "small", "day"))
  surv <- Surv(time, as.double(read_npy(folder, "small", "event")))
  group <- read_npy(folder, "small", "group")
  set.seed(2)
  groups <- replicate(1000, sample(group), simplify = FALSE)
  statistic <- function(g) survdiff(surv ~ g)$chisq
  function() {
    observed <- statistic(group)
    drawn <- sapply(groups, statistic)
    p <- (1 + sum(drawn >= observed * (1 - 1e-9))) / (1 + length(drawn))
    list(result = list(p_value = I(p)), units = length(drawn))
  }
}

routes <- list()
for (set in c("cox_20", "cox_5")) {
  for (kind in c("days", "continuous")) {
    routes[[paste0(set, "_", kind)]] <- lapply(cox_routes, function(fit) cox(set, kind, fit))
  }
}
for (kind in c("days", "continuous")) {
  routes[[paste0("km_", kind)]] <- list(survfit = kaplan_meier(kind))
  routes[[paste0("logrank_", kind)]] <- list(survdiff = logrank(kind))
}
routes$bootstrap <- list(
  "coxph.fit in a loop" = bootstrap(bare_fit, 1000), "coxph in a loop" = bootstrap(cox_routes$coxph, 200)
)
routes$permutation <- list("survdiff in a loop" = permutation)

version <- paste(packageVersion("survival"), "on R", getRversion())
argument <- commandArgs(TRUE)
if (length(argument) == 0) {
  answer <- list(program = "r", version = version, routes = lapply(routes, function(r) I(names(r))))
} else {
  work <- routes[[argument[1]]][[argument[2]]](argument[3])
  cat("ready\n")
  limit <- if (length(argument) > 3) as.numeric(argument[4]) else 3
  about <- list(program = "r", version = version, task = argument[1], route = argument[2])
  answer <- c(about, measure(work, limit))
}
cat(toJSON(answer, digits = NA, auto_unbox = TRUE), "\n", sep = "")
