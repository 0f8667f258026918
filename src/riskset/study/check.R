# Refits the numbers of this study with R and compares each with the stored one.
#
#   Rscript check.R                     (R with the package survival; nothing else)
#
# It reads the tables of check_data/ beside it:
#   patients.csv   one row a patient: covariates, and population_<name> (true, false or empty)
#   outcomes.csv   days and event (0 = censored) by endpoint and censoring scheme
#   responses.csv  best response, responder and the denominators by response endpoint
#   levels.csv     the levels of each factor, its reference first; a column that is not there is a number
#   analyses.csv   the parameters of each analysis
#   rows.csv       the stored numbers: what each is (analysis to of), its value, its status
# Every row is printed; the exit status is 1 if a stored number and R's differ by more than 1e-6 (relative).

library(survival)
options(width = 250, scipen = 3)

TOLERANCE <- 1e-6
# Below this absolute difference two numbers are the same: a difference of two equal proportions may come out as 1e-17.
NOTHING <- 1e-12
# Newton steps until the likelihood has settled to far more digits than are compared.
CONTROL <- coxph.control(eps = 1e-11, iter.max = 100)

# ---- The data ----------------------------------------------------------------------------------------------------

script <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))
if (length(script) == 1) setwd(dirname(script))

read_table <- function(name) {
  path <- file.path("check_data", paste0(name, ".csv"))
  read.csv(path, na.strings = "", colClasses = "character", check.names = FALSE, encoding = "UTF-8")
}

patients <- read_table("patients")
outcomes <- read_table("outcomes")
responses <- read_table("responses")
rows <- read_table("rows")
analyses <- read_table("analyses")
levels_table <- read_table("levels")

LEVELS <- split(levels_table$level, levels_table$column)
is_factor <- function(column) column %in% names(LEVELS)
for (column in setdiff(names(patients), c("patient", grep("^population_", names(patients), value = TRUE)))) {
  if (!is_factor(column)) patients[[column]] <- as.numeric(patients[[column]])
}
outcomes$days <- as.numeric(outcomes$days)
outcomes$event <- as.integer(as.numeric(outcomes$event) > 0)
rows$value <- as.numeric(rows$value)
rows$time <- as.numeric(rows$time)
analyses$conf_level <- as.numeric(analyses$conf_level)

# A fit is made once and asked many times. `fit` is evaluated only where the memory lacks it.
memory <- new.env()
remember <- function(key, fit) {
  key <- paste(key, collapse = "|")
  if (!exists(key, envir = memory, inherits = FALSE)) assign(key, fit, envir = memory)
  get(key, envir = memory)
}

words <- function(cell) if (is.na(cell)) character(0) else strsplit(cell, " ", fixed = TRUE)[[1]]
given <- function(...) { named <- c(...); unique(named[!is.na(named)]) }

members <- function(population) {
  if (is.na(population)) return(patients)
  patients[which(patients[[paste0("population_", population)]] == "true"), ]
}

# The patients of a population with days and event of the row's endpoint and scheme, missing ones included.
everyone <- function(row) {
  outcome <- outcomes[outcomes$endpoint == row$endpoint & outcomes$scheme == row$scheme, c("patient", "days", "event")]
  merge(members(row$population), outcome, by = "patient", all.x = TRUE, sort = FALSE)
}

# Those of them who have a value in every named column, and days and event.
complete <- function(row, columns = character(0)) {
  remember(c("complete", row$endpoint, row$scheme, row$population, columns), {
    data <- everyone(row)
    data[complete.cases(data[c(columns, "days", "event")]), ]
  })
}

at_level <- function(data, column, level) data[which(data[[column]] == level), ]

# The complete patients of one group; of all groups where the row names none.
of_group <- function(row, columns = character(0), group = row$group, level = row$group_level) {
  if (is.na(group)) return(complete(row, columns))
  at_level(complete(row, given(columns, group)), group, level)
}

who <- function(row, ...) c(row$endpoint, row$scheme, row$population, row$group, row$group_level, ...)

# ---- What a row asks of a fit ------------------------------------------------------------------------------------

# An estimate is c(value, low, high, se, p, chi, df): a row asks for one of them.
part_of <- function(row) {
  parts <- c(conf_low = "low", conf_high = "high", standard_error = "se", p_value = "p", chi_square = "chi", df = "df")
  if (row$statistic %in% names(parts)) parts[[row$statistic]] else "value"
}
ask <- function(estimate, row) if (part_of(row) %in% names(estimate)) estimate[[part_of(row)]] else NA_real_
target <- function(row) if (is.na(row$of)) row$statistic else row$of

counts <- function(data, statistic) {
  switch(statistic,
    n = nrow(data),
    events = sum(data$event),
    censored = sum(data$event == 0)
  )
}

# ---- Kaplan-Meier ------------------------------------------------------------------------------------------------

curve_of <- function(data, conf_type, conf_level) {
  if (nrow(data) == 0) return(NULL)
  survfit(Surv(days, event) ~ 1, data = data, conf.type = conf_type, conf.int = conf_level)
}

median_of <- function(fit) {
  if (is.null(fit)) return(c(value = NA))
  table <- summary(fit)$table
  c(value = table[["median"]], low = table[[grep("LCL$", names(table))]], high = table[[grep("UCL$", names(table))]])
}

# R's quantile() takes the middle of a flat piece of the curve also where that piece is its end, which print() and the
# median do not; the first time is taken there, as print() does.
quantile_of <- function(fit, probability) {
  if (is.null(fit)) return(c(value = NA))
  if (abs(min(fit$surv) - (1 - probability)) < 1e-9) return(c(value = fit$time[which.min(fit$surv)]))
  c(value = unname(quantile(fit, probability, conf.int = FALSE)))
}

survival_at <- function(fit, time) {
  if (is.null(fit) || time > max(fit$time)) return(c(value = NA))
  at <- summary(fit, times = time)
  c(value = at$surv, low = at$lower, high = at$upper, se = at$std.err)
}

restricted_mean <- function(fit, time, conf_level) {
  if (is.null(fit) || time > max(fit$time)) return(c(value = NA))
  table <- summary(fit, rmean = time)$table
  mean <- table[[grep("^\\*?rmean", names(table))]]
  se <- table[[grep("se\\(rmean", names(table))]]
  reach <- qnorm((1 + conf_level) / 2) * se
  c(value = mean, low = mean - reach, high = mean + reach, se = se)
}

# Two groups' estimates with standard errors: their difference, its normal interval and test.
difference <- function(one, other, conf_level) {
  if (is.na(one[["value"]]) || is.na(other[["value"]])) return(c(value = NA))
  value <- one[["value"]] - other[["value"]]
  se <- sqrt(one[["se"]]^2 + other[["se"]]^2)
  reach <- qnorm((1 + conf_level) / 2) * se
  c(value = value, low = value - reach, high = value + reach, se = se, p = 2 * pnorm(-abs(value / se)))
}

step_of <- function(fit, row) {
  if (row$statistic == "censored") return(sum(fit$n.censor[fit$time == row$time]))
  k <- match(row$time, fit$time)
  if (is.na(k)) return(if (row$time == 0 && is.na(row$of)) 1 else NA)
  ask(c(value = fit$surv[k], low = fit$lower[k], high = fit$upper[k]), row)
}

log_rank <- function(data, by) {
  if (length(unique(data[[by]])) < 2) return(c(p = NA))
  data$group <- data[[by]]
  test <- survdiff(Surv(days, event) ~ group, data = data)
  df <- max(sum(test$exp > 0) - 1, 0)
  if (df == 0) return(c(df = 0))
  c(chi = test$chisq, df = df, p = pchisq(test$chisq, df, lower.tail = FALSE))
}

# A check may answer with words: why R was not asked.
NO_LIMIT <- "test of a model in which a coefficient runs to infinity"

# ---- Cox models --------------------------------------------------------------------------------------------------

# A factor keeps its reference and the levels that occur; `first` takes the place of the study's reference if named.
as_study_factor <- function(values, column, first = NA) {
  order <- given(first, LEVELS[[column]])
  factor(values, levels = order[order == order[1] | order %in% values])
}

# Efron's ties; a variable with one level among these patients cannot be a term.
fit_cox <- function(data, variables, strata = NA, product = NULL, first = NA) {
  for (variable in variables) {
    if (is_factor(variable)) {
      reference <- if (variable == variables[1]) first else NA
      data[[variable]] <- as_study_factor(data[[variable]], variable, reference)
    }
  }
  quoted <- function(names) if (length(names)) paste0("`", names, "`") else character(0)
  usable <- Filter(function(v) !is_factor(v) || nlevels(data[[v]]) > 1, variables)
  if (nrow(data) == 0 || length(usable) == 0 || !all(product %in% usable)) return(NULL)
  terms <- c(
    quoted(usable),
    if (length(product)) paste(quoted(product), collapse = ":"),
    if (!is.na(strata)) paste0("strata(", quoted(strata), ")")
  )
  formula <- as.formula(paste("Surv(days, event) ~", paste(terms, collapse = " + ")))
  # coxph() warns "Loglik converged before variable 1,3 ; coefficient may be infinite": those have no estimate.
  infinite <- integer(0)
  fit <- withCallingHandlers(
    coxph(formula, data = data, ties = "efron", control = CONTROL, model = TRUE, x = TRUE, y = TRUE),
    warning = function(w) {
      text <- conditionMessage(w)
      if (grepl("infinite", text)) infinite <<- as.integer(regmatches(text, gregexpr("[0-9]+", text))[[1]])
    }
  )
  fit$infinite <- infinite
  # Where each term's coefficients stand, and each factor's levels: names of coefficients are not relied on.
  fit$places <- setNames(fit$assign, gsub("`", "", names(fit$assign)))
  fit$factors <- lapply(setNames(usable, usable), function(v) if (is_factor(v)) levels(data[[v]])[-1] else NA)
  fit
}

# The coefficient at one place, with its hazard ratio.
coefficient_at <- function(fit, place, conf_level) {
  b <- unname(coef(fit)[place])
  if (length(b) != 1 || is.na(b) || place %in% fit$infinite) return(c(value = NA))
  se <- sqrt(fit$var[place, place])
  reach <- qnorm((1 + conf_level) / 2) * se
  # What stands beside a coefficient without limit may be without limit too, though R does not say so.
  if (length(fit$infinite) && !is.finite(exp(b + reach))) return(c(value = NA))
  z <- b / se
  c(value = exp(b), low = exp(b - reach), high = exp(b + reach), p = pchisq(z^2, 1, lower.tail = FALSE), b = b, se = se)
}

ratio_of <- function(fit, variable, level, conf_level) {
  if (is.null(fit)) return(c(value = NA))
  k <- if (is_factor(variable)) match(level, fit$factors[[variable]]) else 1
  coefficient_at(fit, fit$places[[variable]][k], conf_level)
}

ask_ratio <- function(ratio, row) {
  if (row$statistic == "coefficient") return(if ("b" %in% names(ratio)) ratio[["b"]] else NA)
  ask(ratio, row)
}

# Wald's test that all levels of a factor have the same hazard.
joint_test <- function(fit, variable, row) {
  if (length(fit$infinite)) return(NO_LIMIT)
  places <- fit$places[[variable]]
  places <- places[!is.na(coef(fit)[places])]
  b <- coef(fit)[places]
  chi <- drop(b %*% solve(fit$var[places, places, drop = FALSE], b))
  ask(c(chi = chi, df = length(b), p = pchisq(chi, length(b), lower.tail = FALSE)), row)
}

proportional_hazards <- function(fit, row) {
  if (is.null(fit)) return(NA)
  if (length(fit$infinite)) return(NO_LIMIT)
  table <- cox.zph(fit, transform = "km", terms = TRUE, global = TRUE)$table
  rownames(table) <- gsub("`", "", rownames(table))
  line <- table[if (is.na(row$variable)) "GLOBAL" else row$variable, ]
  ask(c(chi = line[["chisq"]], df = line[["df"]], p = line[["p"]]), row)
}

# One model with the product of two variables, one without: the likelihood-ratio test of the interaction.
interaction_of <- function(row, first, second, adjust, strata) {
  variables <- unique(c(first, second, adjust))
  data <- complete(row, given(variables, strata))
  remember(c("interaction", who(row), first, second, adjust, strata), {
    smaller <- fit_cox(data, variables, strata)
    larger <- fit_cox(data, variables, strata, product = c(first, second))
    if (!is.null(smaller) && !is.null(larger)) list(smaller = smaller, larger = larger)
  })
}

ask_interaction <- function(row, models, conf_level) {
  if (is.null(models)) return(NA)
  larger <- models$larger
  if (target(row) == "p_interaction") {
    if (length(c(larger$infinite, models$smaller$infinite))) return(NO_LIMIT)
    chi <- 2 * (larger$loglik[2] - models$smaller$loglik[2])
    df <- sum(!is.na(coef(larger))) - sum(!is.na(coef(models$smaller)))
    test <- c(value = pchisq(chi, df, lower.tail = FALSE), chi = chi, df = df)
    return(ask(test, row))
  }
  pair <- strsplit(row$variable, ":", fixed = TRUE)[[1]]
  products <- expand.grid(larger$factors[[pair[1]]], larger$factors[[pair[2]]], stringsAsFactors = FALSE)
  k <- if (is.na(row$level)) 1 else match(row$level, paste(products[[1]], products[[2]], sep = ":"))
  ask(coefficient_at(larger, larger$places[[paste(pair, collapse = ":")]][k], conf_level), row)
}

# ---- One function for each kind of analysis: the value by R, words why it has none, NULL where nothing is refitted

check_survival <- function(row, a) {
  if (is.na(row$method) && row$statistic == "missing") return(nrow(everyone(row)) - nrow(complete(row)))
  if (is.na(row$method)) return(counts(of_group(row), row$statistic))
  curve <- function(level) {
    group <- if (is.na(level)) NA else a$by
    remember(c("curve", row$analysis, who(row), group, level),
             curve_of(of_group(row, group = group, level = level), a$conf_type, a$conf_level))
  }
  own <- function() curve(row$group_level)
  # Level against reference: a difference of two curves.
  contrast <- function(estimate) {
    ask(difference(estimate(curve(row$level)), estimate(curve(row$reference)), a$conf_level), row)
  }
  switch(row$method,
    kaplan_meier = switch(target(row),
      median = ask(median_of(own()), row),
      survival = ask(survival_at(own(), row$time), row),
      survival_difference = contrast(function(fit) survival_at(fit, row$time))
    ),
    rmst = switch(target(row),
      rmst = ask(restricted_mean(own(), row$time, a$conf_level), row),
      rmst_difference = contrast(function(fit) restricted_mean(fit, row$time, a$conf_level))
    ),
    risk_table = sum(of_group(row)$days >= row$time),
    curve = step_of(own(), row),
    logrank = ask(remember(c("logrank", who(row, a$by)), log_rank(complete(row, a$by), a$by)), row),
    cox = ask_ratio(ratio_of(pair_model(row, a$by, row$reference), a$by, row$level, a$conf_level), row),
    cox_zph = proportional_hazards(pair_model(row, a$by), row)
  )
}

# The model of one variable alone, among the row's group.
pair_model <- function(row, variable, reference = NA) {
  remember(c("pair", who(row, variable, reference)), fit_cox(of_group(row, variable), variable, first = reference))
}

check_cox <- function(row, a) {
  hazards <- grepl("_ph$", row$method)
  method <- sub("_ph$", "", row$method)
  variables <- if (method == "cox_univariable") row$variable else given(a$exposure, words(a$adjust))
  strata <- if (method == "cox_multivariable_stratified") a$strata else NA
  data <- complete(row, given(variables, strata))
  if (row$statistic %in% c("n", "events")) return(counts(data, row$statistic))
  if (row$statistic == "missing") return(nrow(everyone(row)) - nrow(data))
  fit <- remember(c("cox", who(row, variables, strata)), fit_cox(data, variables, strata))
  if (is.null(fit)) return(NA)
  if (hazards) return(proportional_hazards(fit, row))
  if (row$statistic == "log_likelihood") return(fit$loglik[if (is.na(row$of)) 2 else 1])
  if (is_factor(row$variable) && is.na(row$level)) return(joint_test(fit, row$variable, row))
  ask_ratio(ratio_of(fit, row$variable, row$level, a$conf_level), row)
}

check_subgroups <- function(row, a) {
  adjust <- if (row$method == "adjusted") words(a$adjust) else character(0)
  strata <- if (row$method == "adjusted") a$strata else NA
  if (!is.na(row$variable) && grepl(":", row$variable, fixed = TRUE)) {
    second <- strsplit(row$variable, ":", fixed = TRUE)[[1]][2]
    return(ask_interaction(row, interaction_of(row, a$exposure, second, adjust, strata), a$conf_level))
  }
  data <- of_group(row, given(a$exposure, row$group, adjust, strata))
  if (row$statistic %in% c("n", "events")) {
    if (!is.na(row$variable)) data <- at_level(data, row$variable, row$level)
    return(counts(data, row$statistic))
  }
  # The variable of the subgroups is constant inside each.
  variables <- setdiff(given(a$exposure, adjust), row$group)
  fit <- remember(c("subgroup", who(row, variables, strata)), fit_cox(data, variables, strata))
  ask_ratio(ratio_of(fit, a$exposure, row$level, a$conf_level), row)
}

check_contrasts <- function(row, a) {
  if (grepl(":", row$variable, fixed = TRUE)) {
    adjust <- if (row$method == "adjusted") words(a$adjust) else character(0)
    strata <- if (row$method == "adjusted") a$strata else NA
    second <- strsplit(row$variable, ":", fixed = TRUE)[[1]][2]
    return(ask_interaction(row, interaction_of(row, a$within, second, adjust, strata), a$conf_level))
  }
  data <- of_group(row, row$variable)
  if (!is.na(row$level)) mine <- at_level(data, row$variable, row$level)
  if (is.na(row$method)) return(counts(mine, row$statistic))
  switch(row$method,
    kaplan_meier = ask(median_of(curve_of(mine, "log-log", a$conf_level)), row),
    logrank = ask(log_rank(data, row$variable), row),
    cox = ask_ratio(ratio_of(pair_model(row, row$variable), row$variable, row$level, a$conf_level), row)
  )
}

check_schemes <- function(row, a) {
  if (is.na(row$method)) return(counts(of_group(row, a$exposure), row$statistic))
  adjust <- if (row$method == "cox_adjusted") words(a$adjust) else character(0)
  strata <- if (row$method == "cox_adjusted") a$strata else NA
  variables <- given(a$exposure, adjust)
  data <- complete(row, given(variables, strata))
  ratio <- function() {
    fit <- remember(c("scheme", who(row, variables, strata)), fit_cox(data, variables, strata))
    ask_ratio(ratio_of(fit, a$exposure, row$level, a$conf_level), row)
  }
  switch(row$method,
    kaplan_meier = ask(median_of(curve_of(of_group(row, a$exposure), "log-log", a$conf_level)), row),
    logrank = ask(log_rank(data, a$exposure), row),
    cox = ratio(),
    cox_adjusted = ratio()
  )
}

# Events and censorings change places: being still followed is what lasts.
check_follow_up <- function(row, a) {
  reversed <- function(data) { data$event <- 1 - data$event; data }
  if (row$method == "logrank_reversed") return(ask(log_rank(reversed(complete(row, a$by)), a$by), row))
  fit <- curve_of(reversed(of_group(row)), "log-log", a$conf_level)
  switch(row$statistic,
    quartile_low = ask(quantile_of(fit, 0.25), row),
    quartile_high = ask(quantile_of(fit, 0.75), row),
    ask(median_of(fit), row)
  )
}

check_reasons <- function(row, a) {
  if (is.na(row$method)) counts(of_group(row), row$statistic)
}

# ---- Response ----------------------------------------------------------------------------------------------------

answers <- function(row, endpoint) {
  own <- responses[responses$endpoint == endpoint, ]
  data <- merge(patients, own, by = "patient", all.x = TRUE, sort = FALSE, suffixes = c(".covariate", ""))
  if (is.na(row$population)) data else data[which(data[[row$population]] == "true"), ]
}

wilson <- function(x, n, conf_level) prop.test(x, n, conf.level = conf_level, correct = FALSE)$conf.int

check_response <- function(row, a) {
  if (!is.na(row$variable) && row$variable == "best_response") return(check_best_response(row, a))
  if (is.na(row$method) && row$statistic == "missing") {
    unfiltered <- row
    unfiltered$population <- NA
    outside <- if (is.na(row$population)) 0 else sum(is.na(answers(unfiltered, row$endpoint)[[row$population]]))
    return(outside + sum(is.na(answers(row, row$endpoint)$responder)))
  }
  data <- answers(row, row$endpoint)
  data <- data[!is.na(data$responder), ]
  if (!is.na(row$group)) data <- at_level(data, row$group, row$group_level)
  yes <- function(part) sum(part$responder == "true")
  if (is.na(row$method)) return(switch(row$statistic, n = nrow(data), events = yes(data)))
  if (row$method == "wilson") {
    interval <- wilson(yes(data), nrow(data), a$conf_level)
    return(ask(c(value = yes(data) / nrow(data), low = interval[1], high = interval[2]), row))
  }
  if (row$method == "clopper_pearson") {
    test <- binom.test(yes(data), nrow(data), conf.level = a$conf_level)
    return(ask(c(value = test$estimate[[1]], low = test$conf.int[1], high = test$conf.int[2]), row))
  }
  one <- at_level(data, row$variable, row$level)
  other <- at_level(data, row$variable, row$reference)
  ask(two_groups(yes(one), nrow(one), yes(other), nrow(other), row$method, a$conf_level), row)
}

two_groups <- function(x1, n1, x0, n0, method, conf_level) {
  table <- rbind(c(x1, n1 - x1), c(x0, n0 - x0))
  if (method == "newcombe") {
    one <- wilson(x1, n1, conf_level)
    other <- wilson(x0, n0, conf_level)
    d <- x1 / n1 - x0 / n0
    low <- d - sqrt((x1 / n1 - one[1])^2 + (other[2] - x0 / n0)^2)
    high <- d + sqrt((one[2] - x1 / n1)^2 + (x0 / n0 - other[1])^2)
    return(c(value = d, low = low, high = high))
  }
  if (method == "woolf") {
    ratio <- table[1, 1] * table[2, 2] / (table[1, 2] * table[2, 1])
    if (any(table == 0)) return(c(value = if (is.finite(ratio)) ratio else NA))
    reach <- qnorm((1 + conf_level) / 2) * sqrt(sum(1 / table))
    return(c(value = ratio, low = exp(log(ratio) - reach), high = exp(log(ratio) + reach)))
  }
  test_of_table(table, method)
}

# Rows and columns without a patient say nothing.
test_of_table <- function(table, method) {
  table <- table[rowSums(table) > 0, colSums(table) > 0, drop = FALSE]
  if (min(dim(table)) < 2) return(c(p = NA))
  if (method == "chi_square") {
    test <- chisq.test(table, correct = FALSE)
    return(c(chi = test$statistic[[1]], df = test$parameter[[1]], p = test$p.value))
  }
  if (method == "fisher_exact") return(c(p = fisher.test(table, workspace = 2e7)$p.value))
  NULL
}

check_best_response <- function(row, a) {
  data <- answers(row, words(a$endpoints)[1])
  if (!is.na(row$group)) data <- at_level(data, row$group, row$group_level)
  found <- sum(data$best_response == row$level, na.rm = TRUE)
  switch(row$statistic,
    n = found,
    proportion = found / nrow(data),
    missing = sum(is.na(data$best_response))
  )
}

# ---- Table 1 -----------------------------------------------------------------------------------------------------

check_baseline <- function(row, a) {
  data <- members(row$population)
  if (row$statistic == "p_value") return(baseline_p(data, row, a))
  if (row$statistic == "smd") return(NULL)
  if (!is.na(row$group)) data <- at_level(data, row$group, row$group_level)
  if (is.na(row$variable)) return(nrow(data))
  values <- data[[row$variable]]
  known <- values[!is.na(values)]
  if (is.numeric(known) && length(known) == 0 && row$statistic != "missing") return(NA)
  quartiles <- function(q) quantile(known, q, type = 7, names = FALSE)
  switch(row$statistic,
    missing = sum(is.na(values)),
    n = sum(known == row$level),
    proportion = sum(known == row$level) / length(known),
    mean = mean(known),
    sd = sd(known),
    median = median(known),
    quartile_low = quartiles(0.25),
    quartile_high = quartiles(0.75),
    minimum = min(known),
    maximum = max(known)
  )
}

baseline_p <- function(data, row, a) {
  data <- data[!is.na(data[[row$variable]]) & !is.na(data[[a$by]]), ]
  group <- factor(data[[a$by]], levels = LEVELS[[a$by]])
  values <- data[[row$variable]]
  if (row$method == "wilcoxon_rank_sum") return(wilcox.test(values ~ group, exact = FALSE, correct = TRUE)$p.value)
  if (row$method == "kruskal_wallis") return(kruskal.test(values, group)$p.value)
  test <- test_of_table(unclass(table(group, values)), row$method)
  if (!is.null(test)) test[["p"]]
}

# ---- The comparison ----------------------------------------------------------------------------------------------

CHECKS <- list(
  survival = check_survival, cox = check_cox, subgroups = check_subgroups, contrasts = check_contrasts,
  schemes = check_schemes, follow_up = check_follow_up, reasons = check_reasons, response = check_response,
  baseline = check_baseline
)

kind_of <- setNames(analyses$kind, analyses$analysis)
parameters <- split(analyses, analyses$analysis)

# The value by R; words or NULL where R was not asked. Where R stops with an error it has no value.
by_r <- function(row) {
  kind <- kind_of[row$analysis]
  if (is.na(kind) || !kind %in% names(CHECKS)) return(NULL)
  value <- tryCatch(
    suppressWarnings(CHECKS[[kind]](row, as.list(parameters[[row$analysis]]))),
    error = function(e) { message("R stopped at ", row$row, ": ", conditionMessage(e)); NA }
  )
  if (is.null(value) || is.character(value)) value else as.numeric(value)
}

# Relative difference; a number that one side lacks differs without measure.
compare <- function(ours, r) {
  if (is.na(ours) && is.na(r)) return(c(0, 0))
  if (is.na(ours) || is.na(r)) return(c(NA, Inf))
  absolute <- abs(ours - r)
  c(absolute, if (absolute <= NOTHING) 0 else absolute / max(abs(ours), abs(r)))
}

digits <- function(x) ifelse(is.na(x), "-", formatC(x, digits = 12, format = "g"))
small <- function(x) ifelse(is.na(x), "-", formatC(x, digits = 2, format = "g"))

compare_all <- function() {
  found <- rep(NA_real_, nrow(rows))
  absolute <- relative <- found
  why <- rep("", nrow(rows))
  for (i in seq_len(nrow(rows))) {
    row <- as.list(rows[i, ])
    value <- by_r(row)
    if (is.null(value)) {
      how <- if (is.na(row$method)) "" else paste0(" (", row$method, ")")
      kind <- if (is.na(kind_of[row$analysis])) row$analysis else kind_of[row$analysis]
      why[i] <- paste0(kind, ": ", row$statistic, how)
    } else if (is.character(value)) {
      why[i] <- paste0(kind_of[row$analysis], ": ", value)
    } else {
      found[i] <- value
      difference <- compare(row$value, value)
      absolute[i] <- difference[1]
      relative[i] <- difference[2]
    }
  }
  data.frame(row = rows$row, ours = rows$value, r = found, absolute, relative, why)
}

print_rows <- function(part) {
  shown <- data.frame(row = part$row, ours = digits(part$ours), R = digits(part$r),
                      absolute = small(part$absolute), relative = small(part$relative))
  pad <- function(name) {
    format(c(name, shown[[name]]), justify = if (name == "row") "left" else "right")
  }
  cat(do.call(paste, c(lapply(names(shown), pad), sep = "  ")), sep = "\n")
}

all_rows <- compare_all()
checked <- all_rows[all_rows$why == "", ]
left <- all_rows[all_rows$why != "", ]
different <- checked[checked$relative > TOLERANCE, ]

print_rows(checked)
if (nrow(left)) {
  cat("\nNot checked:\n")
  kinds <- table(left$why)
  for (name in sort(names(kinds), method = "radix")) cat(sprintf("  %5d  %s\n", kinds[[name]], name))
}
if (nrow(different)) {
  cat("\nDifferent:\n")
  print_rows(different)
}
cat("\n", R.version.string, ", survival ", as.character(packageVersion("survival")), "\n", sep = "")
cat(sprintf("%d rows checked, %d differ by more than 1e-6 (relative), %d not checked\n",
            nrow(checked), nrow(different), nrow(left)))
quit(status = if (nrow(different)) 1 else 0)
