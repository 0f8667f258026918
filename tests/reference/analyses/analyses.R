# A study of 180 simulated patients and every number of its analyses, computed by R: analyses.json.
#
# `rows` are result rows as the test expects them: parts of a key that a row lacks are null. A value of null means that
# there must be a row without a value. Nothing here is taken from riskset.
# Run:  Rscript tests/reference/analyses/analyses.R
suppressPackageStartupMessages({
  library(survival)
  library(jsonlite)
})
invisible(Sys.setlocale("LC_COLLATE", "C"))
seed <- 20250902
set.seed(seed, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")

month <- 30.4375
z <- qnorm(0.975)

# ---------------------------------------------------------------------------------------------------- the patients
n <- 180
draw <- function(levels, prob) sample(levels, n, replace = TRUE, prob = prob)
d <- data.frame(
  patient = sprintf("p%03d", seq_len(n)),
  centre = draw(c("north", "south", "west"), c(0.5, 0.3, 0.2)),
  her2 = draw(c("zero", "low"), c(0.45, 0.55)),
  setting = draw(c("recurrent", "de_novo"), c(0.6, 0.4)),
  ecog = draw(c("fit", "limited", "frail"), c(0.5, 0.35, 0.15)),
  line_group = draw(c("first", "later"), c(0.6, 0.4)),
  visceral = draw(c(TRUE, FALSE), c(0.45, 0.55)),
  age = round(rnorm(n, 58, 11), 1)
)
hazard <- 0.0016 * exp(
  -0.25 * (d$her2 == "low") + 0.45 * d$visceral + 0.3 * (d$ecog == "limited") + 0.7 * (d$ecog == "frail") +
    0.35 * (d$line_group == "later") - 0.5 * (d$her2 == "low") * (d$setting == "de_novo")
)
# Assessments come every 60 days or so: heavily tied times.
progression <- ceiling(rexp(n, hazard) / 20) * 20
death <- progression + ceiling(rexp(n, 0.0011))
followed <- round(runif(n, 300, 1500))
d$pfs_days <- as.integer(pmin(progression, followed))
d$pfs_event <- as.integer(progression <= followed)
d$pfs_reason <- ifelse(d$pfs_event == 1, draw(c("progression", "death"), c(0.9, 0.1)),
  draw(c("last_assessment", "data_cutoff"), c(0.7, 0.3))
)
d$os_days <- as.integer(pmin(death, followed))
d$os_event <- as.integer(death <= followed)
# A second censoring scheme: a fifth of the patients are censored at a new therapy, a month before.
moved <- runif(n) < 0.2
d$fda_days <- as.integer(ifelse(moved, pmax(d$pfs_days - 30, 1), d$pfs_days))
d$fda_event <- as.integer(ifelse(moved, 0, d$pfs_event))
d$best_response <- draw(c("CR", "PR", "SD", "PD", "NE"), c(0.08, 0.42, 0.3, 0.12, 0.08))
d$measurable <- draw(c(TRUE, FALSE), c(0.7, 0.3))
# What is missing, is missing.
d$visceral[sample(n, 9)] <- NA
d$age[sample(n, 7)] <- NA
d$setting[sample(n, 5)] <- NA
d$measurable[sample(n, 6)] <- NA
d$best_response[sample(n, 4)] <- NA
d$her2[sample(n, 3)] <- NA
d$pfs_event[sample(n, 2)] <- NA

f <- d
f$her2 <- factor(f$her2, c("zero", "low"))
f$setting <- factor(f$setting, c("recurrent", "de_novo"))
f$ecog <- factor(f$ecog, c("fit", "limited", "frail"))
f$line_group <- factor(f$line_group, c("first", "later"))
f$visceral <- factor(f$visceral, c(FALSE, TRUE), c("false", "true"))

# ------------------------------------------------------------------------------------------------------- the rows
rows <- list()
row <- function(key, statistic, value, ...) {
  rows[[length(rows) + 1]] <<- c(key, list(statistic = statistic), list(...), list(value = if (is.finite(value)) value else NA))
}
estimate <- function(key, statistic, values, ...) {
  row(key, statistic, values[1], ...)
  row(key, "conf_low", values[2], of = statistic, ...)
  row(key, "conf_high", values[3], of = statistic, ...)
}
plus <- function(key, ...) modifyList(key, list(...))

sizes <- function(key, x) {
  row(key, "n", nrow(x))
  row(key, "events", sum(x$event))
  row(key, "censored", sum(1 - x$event))
}
outcome_of <- function(x, which) {
  x$days <- x[[paste0(which, "_days")]]
  x$event <- x[[paste0(which, "_event")]]
  x
}
complete <- function(x, columns) x[complete.cases(x[, c(columns, "days", "event")]), ]

describe <- function(key, x, times, tau, grid) {
  sizes(key, x)
  fit <- survfit(Surv(days, event) ~ 1, data = x, conf.type = "log-log")
  last <- max(x$days)
  estimate(plus(key, method = "kaplan_meier"), "median", summary(fit)$table[c("median", "0.95LCL", "0.95UCL")])
  for (t in times) {
    s <- if (t <= last) summary(fit, times = t)[c("surv", "lower", "upper")] else c(NA, NA, NA)
    estimate(plus(key, method = "kaplan_meier"), "survival", unlist(s), time = t)
  }
  table <- summary(fit, rmean = tau)$table
  mean <- table["rmean"]
  estimate(plus(key, method = "rmst"), "rmst", mean + c(0, -z, z) * table["se(rmean)"], time = tau)
  for (t in grid) row(plus(key, method = "risk_table"), "at_risk", sum(x$days >= t), time = t)
  curve <- plus(key, method = "curve")
  row(curve, "survival", 1, time = 0)
  for (k in seq_along(fit$time)) {
    if (fit$n.event[k] > 0 || k == length(fit$time)) {
      estimate(curve, "survival", c(fit$surv[k], fit$lower[k], fit$upper[k]), time = fit$time[k])
    }
    if (fit$n.censor[k] > 0) row(curve, "censored", fit$n.censor[k], time = fit$time[k])
  }
  list(fit = fit, rmst = unname(mean), rmst_error = unname(table["se(rmean)"]))
}

difference <- function(key, statistic, a, b, error, ...) {
  value <- a - b
  estimate(key, statistic, c(value, value - z * error, value + z * error), ...)
  row(key, "p_value", 2 * pnorm(-abs(value / error)), of = statistic, ...)
}

ratio_rows <- function(key, fit, position, size = TRUE) {
  s <- summary(fit)$coefficients[position, ]
  b <- s["coef"]
  e <- s["se(coef)"]
  estimate(key, "hazard_ratio", exp(b + c(0, -z, z) * e))
  row(key, "p_value", s["Pr(>|z|)"], of = "hazard_ratio")
  row(key, "coefficient", b)
  row(key, "standard_error", e, of = "coefficient")
}

logrank_rows <- function(key, x, variable) {
  test <- survdiff(Surv(x$days, x$event) ~ x[[variable]])
  row(key, "chi_square", test$chisq)
  row(key, "df", length(test$n) - 1)
  row(key, "p_value", pchisq(test$chisq, length(test$n) - 1, lower.tail = FALSE))
}

zph_rows <- function(key, fit) {
  table <- cox.zph(fit)$table
  for (term in setdiff(rownames(table), "GLOBAL")) {
    row(plus(key, variable = term), "p_value", table[term, "p"], of = "proportional_hazards")
    row(plus(key, variable = term), "chi_square", table[term, "chisq"], of = "proportional_hazards")
  }
  row(key, "p_value", table["GLOBAL", "p"], of = "proportional_hazards")
  row(key, "chi_square", table["GLOBAL", "chisq"], of = "proportional_hazards")
}

# Terms of a model as keys, in the order of the coefficients.
terms_of <- function(x, variables) {
  unlist(lapply(variables, function(v) {
    if (is.numeric(x[[v]])) return(list(list(variable = v)))
    lapply(levels(x[[v]])[-1], function(l) list(variable = v, level = l, reference = levels(x[[v]])[1]))
  }), recursive = FALSE)
}
cox <- function(x, variables, strata = NULL, products = NULL) {
  right <- paste(c(variables, products, if (!is.null(strata)) sprintf("strata(%s)", strata)), collapse = " + ")
  # The data have to stand in the call, or cox.zph does not find them.
  eval(bquote(coxph(.(as.formula(paste("Surv(days, event) ~", right))), data = x, ties = "efron",
    control = coxph.control(eps = 1e-11, iter.max = 50)
  )))
}

populations <- list(list(name = NULL, rows = f), list(name = "first_line", rows = f[f$line_group == "first", ]))
grid_of <- function(days) {
  months <- max(days) / month
  steps <- c(1, 2, 3, 6, 12, 24)
  step <- steps[months / steps <= 9][1]
  (0:floor(months / step)) * step * month
}

# -------------------------------------------------------------------------------------------------------- survival
survival_analysis <- function(name, which, scheme, parts, times_months, tau_months) {
  times <- times_months * month
  tau <- tau_months * month
  for (part in parts) {
    x <- outcome_of(part$rows, which)
    key <- list(analysis = name, endpoint = which, scheme = scheme, population = part$name)
    whole <- complete(x, character())
    row(key, "missing", nrow(x) - nrow(whole), of = which)
    grid <- grid_of(whole$days)
    describe(key, whole, times, tau, grid)
    own <- complete(x, "her2")
    found <- lapply(levels(own$her2), function(g) {
      describe(plus(key, group = "her2", group_level = g), own[own$her2 == g, ], times, tau, grid)
    })
    logrank_rows(plus(key, method = "logrank", variable = "her2"), own, "her2")
    pair <- plus(key, variable = "her2", level = "low", reference = "zero")
    shortest <- min(tapply(own$days, own$her2, max))
    for (t in times) {
      if (t > shortest) {
        estimate(plus(pair, method = "kaplan_meier"), "survival_difference", c(NA, NA, NA), time = t)
        next
      }
      s <- lapply(found, function(g) summary(g$fit, times = t))
      difference(plus(pair, method = "kaplan_meier"), "survival_difference", s[[2]]$surv, s[[1]]$surv,
        sqrt(s[[1]]$std.err^2 + s[[2]]$std.err^2), time = t)
    }
    difference(plus(pair, method = "rmst"), "rmst_difference", found[[2]]$rmst, found[[1]]$rmst,
      sqrt(found[[1]]$rmst_error^2 + found[[2]]$rmst_error^2), time = tau)
    fit <- cox(own, "her2")
    ratio_rows(plus(pair, method = "cox"), fit, 1)
    zph_rows(plus(key, method = "cox_zph"), fit)
  }
}

# ------------------------------------------------------------------------------------------------------ Cox models
model_rows <- function(key, x, columns, variables, strata = NULL, own = NULL) {
  used <- complete(x, columns)
  fit <- cox(used, variables, strata)
  terms <- terms_of(used, variables)
  for (k in seq_along(terms)) ratio_rows(modifyList(key, terms[[k]]), fit, k)
  for (v in variables) {
    places <- which(sapply(terms, function(t) t$variable == v))
    if (length(places) > 1) {
      b <- coef(fit)[places]
      w <- sum(b * solve(vcov(fit)[places, places], b))
      at <- plus(key, variable = v)
      row(at, "chi_square", w, of = "hazard_ratio")
      row(at, "df", length(places), of = "hazard_ratio")
      row(at, "p_value", pchisq(w, length(places), lower.tail = FALSE), of = "hazard_ratio")
    }
  }
  whole <- if (is.null(own)) key else plus(key, variable = own)
  row(whole, "n", fit$n)
  row(whole, "events", fit$nevent)
  row(whole, "missing", nrow(x) - nrow(used))
  row(whole, "log_likelihood", fit$loglik[2])
  row(whole, "log_likelihood", fit$loglik[1], of = "null_model")
  fit
}

cox_analysis <- function(name, exposure, adjust, strata, univariable) {
  headline <- c(exposure, adjust)
  x <- outcome_of(f, "pfs")
  key <- list(analysis = name, endpoint = "pfs", scheme = "ema")
  for (how in list(list("cox_multivariable_stratified", strata), list("cox_multivariable", NULL))) {
    fit <- model_rows(plus(key, method = how[[1]]), x, c(headline, how[[2]]), headline, how[[2]])
    zph_rows(plus(key, method = paste0(how[[1]], "_ph")), fit)
  }
  for (v in univariable) model_rows(plus(key, method = "cox_univariable"), x, v, v, own = v)
}

# ------------------------------------------------------------------------------------ subgroups, contrasts, schemes
interaction_rows <- function(key, x, first, second, adjust = NULL, strata = NULL) {
  main <- unique(c(first, second, adjust))
  small <- cox(x, main, strata)
  large <- cox(x, main, strata, products = sprintf("%s:%s", first, second))
  at <- plus(key, variable = sprintf("%s:%s", first, second))
  test <- anova(small, large)
  chi <- 2 * (large$loglik[2] - small$loglik[2])
  df <- length(coef(large)) - length(coef(small))
  stopifnot(abs(chi - test$Chisq[2]) < 1e-8, df == test$Df[2])
  row(at, "p_interaction", pchisq(chi, df, lower.tail = FALSE))
  row(at, "chi_square", chi, of = "p_interaction")
  row(at, "df", df, of = "p_interaction")
  a <- levels(x[[first]])
  b <- levels(x[[second]])
  s <- summary(large)$coefficients
  for (p in a[-1]) for (q in b[-1]) {
    term <- s[sprintf("%s%s:%s%s", first, p, second, q), ]
    estimate(plus(at, level = paste0(p, ":", q), reference = paste0(a[1], ":", b[1])), "hazard_ratio_ratio",
      exp(term["coef"] + c(0, -z, z) * term["se(coef)"]))
  }
}

exposure_rows <- function(key, x, exposure, adjust, strata) {
  row(key, "n", nrow(x))
  row(key, "events", sum(x$event))
  for (l in levels(x[[exposure]])) {
    mine <- x[x[[exposure]] == l, ]
    row(plus(key, variable = exposure, level = l), "n", nrow(mine))
    row(plus(key, variable = exposure, level = l), "events", sum(mine$event))
  }
  fit <- cox(x, c(exposure, adjust), strata)
  ratio_rows(plus(key, variable = exposure, level = "low", reference = "zero"), fit, 1)
}

subgroups_analysis <- function(name, subgroups, adjust, strata) {
  x <- outcome_of(f, "pfs")
  for (how in list(list("unadjusted", NULL, NULL), list("adjusted", adjust, strata))) {
    key <- list(analysis = name, endpoint = "pfs", scheme = "ema", method = how[[1]])
    exposure_rows(key, complete(x, c("her2", how[[2]], how[[3]])), "her2", how[[2]], how[[3]])
    for (v in subgroups) {
      own <- complete(x, c("her2", v, how[[2]], how[[3]]))
      for (l in levels(own[[v]])) {
        exposure_rows(plus(key, group = v, group_level = l), own[own[[v]] == l, ], "her2", setdiff(how[[2]], v), how[[3]])
      }
      interaction_rows(key, own, "her2", v, how[[2]], how[[3]])
    }
  }
}

contrasts_analysis <- function(name, contrasts, adjust, strata) {
  x <- outcome_of(f, "pfs")
  key <- list(analysis = name, endpoint = "pfs", scheme = "ema")
  for (v in contrasts) {
    own <- complete(x, c("her2", v))
    for (g in levels(own$her2)) {
      mine <- own[own$her2 == g, ]
      at <- plus(key, group = "her2", group_level = g)
      for (l in levels(mine[[v]])) {
        some <- mine[mine[[v]] == l, ]
        sizes(plus(at, variable = v, level = l), some)
        fit <- survfit(Surv(days, event) ~ 1, data = some, conf.type = "log-log")
        estimate(plus(at, variable = v, level = l, method = "kaplan_meier"), "median",
          summary(fit)$table[c("median", "0.95LCL", "0.95UCL")])
      }
      logrank_rows(plus(at, method = "logrank", variable = v), mine, v)
      fit <- cox(mine, v)
      for (k in seq_along(levels(mine[[v]])[-1])) {
        ratio_rows(plus(at, method = "cox", variable = v, level = levels(mine[[v]])[k + 1],
          reference = levels(mine[[v]])[1]), fit, k)
      }
    }
    interaction_rows(plus(key, method = "unadjusted"), own, "her2", v)
    interaction_rows(plus(key, method = "adjusted"), complete(x, c("her2", v, adjust, strata)), "her2", v, adjust, strata)
  }
}

schemes_analysis <- function(name, adjust, strata) {
  for (scheme in list(c("ema", "pfs"), c("fda_a", "fda"))) {
    x <- outcome_of(f, scheme[2])
    key <- list(analysis = name, endpoint = "pfs", scheme = scheme[1])
    own <- complete(x, "her2")
    sizes(key, own)
    for (g in levels(own$her2)) {
      mine <- own[own$her2 == g, ]
      at <- plus(key, group = "her2", group_level = g)
      sizes(at, mine)
      fit <- survfit(Surv(days, event) ~ 1, data = mine, conf.type = "log-log")
      estimate(plus(at, method = "kaplan_meier"), "median", summary(fit)$table[c("median", "0.95LCL", "0.95UCL")])
    }
    logrank_rows(plus(key, method = "logrank", variable = "her2"), own, "her2")
    pair <- plus(key, variable = "her2", level = "low", reference = "zero")
    ratio_rows(plus(pair, method = "cox"), cox(own, "her2"), 1)
    full <- complete(x, c("her2", adjust, strata))
    ratio_rows(plus(pair, method = "cox_adjusted"), cox(full, c("her2", adjust), strata), 1)
  }
}

# ------------------------------------------------------------------------------------------------ follow-up, reasons
follow_up_analysis <- function(name) {
  x <- outcome_of(f, "os")
  x$event <- 1 - x$event
  key <- list(analysis = name, endpoint = "os", scheme = "standard", method = "reverse_kaplan_meier")
  one <- function(at, mine) {
    fit <- survfit(Surv(days, event) ~ 1, data = mine, conf.type = "log-log")
    estimate(at, "follow_up_median", summary(fit)$table[c("median", "0.95LCL", "0.95UCL")])
    q <- quantile(fit, c(0.25, 0.75), conf.int = FALSE)
    row(at, "quartile_low", q[[1]], of = "follow_up_median")
    row(at, "quartile_high", q[[2]], of = "follow_up_median")
  }
  one(key, x)
  own <- complete(x, "her2")
  for (g in levels(own$her2)) one(plus(key, group = "her2", group_level = g), own[own$her2 == g, ])
  test <- survdiff(Surv(days, event) ~ her2, data = own)
  row(plus(key, method = "logrank_reversed", variable = "her2"), "p_value", pchisq(test$chisq, 1, lower.tail = FALSE),
    of = "follow_up_median")
}

reasons_analysis <- function(name) {
  x <- complete(outcome_of(f, "pfs"), character())
  key <- list(analysis = name, endpoint = "pfs", scheme = "ema")
  one <- function(at, mine) {
    sizes(at, mine)
    for (event in c(1, 0)) for (reason in sort(unique(x$pfs_reason[x$event == event]))) {
      row(plus(at, method = if (event) "event" else "censored", variable = "reason", level = reason), "n",
        sum(mine$event == event & mine$pfs_reason == reason))
    }
  }
  one(key, x)
  for (g in levels(x$her2)) one(plus(key, group = "her2", group_level = g), x[which(x$her2 == g), ])
}

# --------------------------------------------------------------------------------------------------------- response
wilson <- function(e, n) prop.test(e, n, correct = FALSE)$conf.int[1:2]
response_analysis <- function(name, denominators) {
  x <- f
  x$responder <- x$best_response %in% c("CR", "PR")
  x$responder[is.na(x$best_response)] <- NA
  x$evaluable <- x$best_response != "NE"
  x$all <- TRUE
  one <- function(key, mine) {
    e <- sum(mine$responder)
    m <- nrow(mine)
    row(key, "n", m)
    row(key, "events", e)
    estimate(plus(key, method = "wilson"), "rate", c(e / m, wilson(e, m)))
    estimate(plus(key, method = "clopper_pearson"), "rate", c(e / m, binom.test(e, m)$conf.int[1:2]))
    c(e, m)
  }
  for (denominator in denominators) {
    key <- list(analysis = name, endpoint = "orr", population = if (denominator != "all") denominator)
    inside <- x[[denominator]]
    row(key, "missing", sum(is.na(inside)) + sum(inside & is.na(x$responder), na.rm = TRUE))
    own <- x[which(inside & !is.na(x$responder)), ]
    one(key, own)
    c0 <- one(plus(key, group = "her2", group_level = "zero"), own[which(own$her2 == "zero"), ])
    c1 <- one(plus(key, group = "her2", group_level = "low"), own[which(own$her2 == "low"), ])
    pair <- plus(key, variable = "her2", level = "low", reference = "zero")
    p0 <- c0[1] / c0[2]
    p1 <- c1[1] / c1[2]
    w0 <- wilson(c0[1], c0[2])
    w1 <- wilson(c1[1], c1[2])
    estimate(plus(pair, method = "newcombe"), "rate_difference", p1 - p0 +
      c(0, -sqrt((p1 - w1[1])^2 + (w0[2] - p0)^2), sqrt((w1[2] - p1)^2 + (p0 - w0[1])^2)))
    cells <- matrix(c(c1[1], c1[2] - c1[1], c0[1], c0[2] - c0[1]), 2, byrow = TRUE)
    odds <- log(cells[1, 1] * cells[2, 2] / (cells[1, 2] * cells[2, 1]))
    estimate(plus(pair, method = "woolf"), "odds_ratio", exp(odds + c(0, -z, z) * sqrt(sum(1 / cells))))
    test <- chisq.test(cells, correct = FALSE)
    stopifnot(all(test$expected >= 5))
    row(plus(pair, method = "chi_square"), "p_value", test$p.value, of = "rate_difference")
    row(plus(pair, method = "chi_square"), "chi_square", test$statistic, of = "rate_difference")
  }
  best <- function(key, mine) {
    at <- plus(key, variable = "best_response")
    for (code in c("CR", "PR", "SD", "PD", "NE")) {
      row(plus(at, level = code), "n", sum(mine$best_response == code, na.rm = TRUE))
      row(plus(at, level = code), "proportion", sum(mine$best_response == code, na.rm = TRUE) / nrow(mine))
    }
    row(at, "missing", sum(is.na(mine$best_response)))
  }
  best(list(analysis = name), f)
  for (g in levels(f$her2)) best(list(analysis = name, group = "her2", group_level = g), f[which(f$her2 == g), ])
}

# --------------------------------------------------------------------------------------------------------- Table 1
smd <- function(a, b) {
  if (is.numeric(a)) return((mean(a) - mean(b)) / sqrt((var(a) + var(b)) / 2))
  p <- as.numeric(table(a) / length(a))[-1]
  q <- as.numeric(table(b) / length(b))[-1]
  if (length(p) == 1) return((p - q) / sqrt((p * (1 - p) + q * (1 - q)) / 2))
  s <- (diag(p) - p %o% p + diag(q) - q %o% q) / 2
  sqrt(c((p - q) %*% solve(s, p - q)))
}
baseline_analysis <- function(name, variables, parts) {
  for (part in parts) {
    key <- list(analysis = name, population = part$name)
    groups <- c(list(list(key, part$rows)), lapply(levels(part$rows$her2), function(g) {
      list(plus(key, group = "her2", group_level = g), part$rows[which(part$rows$her2 == g), ])
    }))
    for (g in groups) row(g[[1]], "n", nrow(g[[2]]))
    for (v in variables) {
      for (g in groups) {
        at <- plus(g[[1]], variable = v)
        known <- g[[2]][[v]][!is.na(g[[2]][[v]])]
        row(at, "missing", nrow(g[[2]]) - length(known))
        if (is.numeric(known)) {
          row(at, "mean", mean(known))
          row(at, "sd", sd(known))
          q <- quantile(known, c(0, 0.25, 0.5, 0.75, 1), names = FALSE)
          for (k in 1:5) row(at, c("minimum", "quartile_low", "median", "quartile_high", "maximum")[k], q[k])
        } else {
          for (l in levels(known)) {
            row(plus(at, level = l), "n", sum(known == l))
            row(plus(at, level = l), "proportion", mean(known == l))
          }
        }
      }
      a <- na.omit(groups[[3]][[2]][[v]])
      b <- na.omit(groups[[2]][[2]][[v]])
      at <- plus(key, group = "her2", variable = v)
      row(at, "smd", smd(a, b))
      if (is.numeric(a)) {
        test <- wilcox.test(as.numeric(a), as.numeric(b), exact = FALSE)
        row(plus(at, method = "wilcoxon_rank_sum"), "p_value", test$p.value)
      } else {
        counts <- rbind(table(b), table(a))
        expected <- suppressWarnings(chisq.test(counts, correct = FALSE))$expected
        if (all(expected >= 5)) {
          row(plus(at, method = "chi_square"), "p_value", chisq.test(counts, correct = FALSE)$p.value)
        } else {
          row(plus(at, method = "fisher_exact"), "p_value", fisher.test(counts)$p.value)
        }
      }
    }
  }
}

survival_analysis("pfs_her2", "pfs", "ema", populations, c(6, 12, 24, 60), 24)
survival_analysis("os_her2", "os", "standard", populations[1], c(6, 12, 24), 24)
cox_analysis("pfs_cox", "her2", c("visceral", "line_group", "ecog"), "centre",
  c("her2", "visceral", "line_group", "ecog", "age", "setting"))
subgroups_analysis("pfs_subgroups", c("setting", "visceral", "ecog"), c("visceral", "line_group"), "centre")
contrasts_analysis("pfs_contrasts", c("setting", "ecog"), c("visceral", "setting"), "centre")
schemes_analysis("pfs_schemes", c("visceral", "ecog"), "centre")
follow_up_analysis("follow_up")
reasons_analysis("reasons")
response_analysis("response", c("all", "measurable", "evaluable"))
baseline_analysis("baseline", c("age", "setting", "ecog", "visceral"), populations)

# ------------------------------------------------------------------------------------------------------ writing it
script <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))
about <- list(script = basename(script), R = R.version.string, survival = as.character(packageVersion("survival")), seed = seed)
body <- list(about = about, patients = d, rows = rows)
text <- toJSON(body, digits = NA, auto_unbox = TRUE, na = "null", null = "null", dataframe = "columns")
text <- gsub("},{", "},\n{", text, fixed = TRUE)
connection <- file(sub("[.]R$", ".json", script), "wb")
writeBin(charToRaw(enc2utf8(paste0(text, "\n"))), connection)
close(connection)
