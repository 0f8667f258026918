source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "_common.R"))
if (!requireNamespace("metafor", quietly = TRUE)) stop("install the R package metafor (Debian: r-cran-metafor)")
suppressPackageStartupMessages(library(metafor))

bcg <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
sets <- list(
  bcg = list(y = as.numeric(bcg$yi), se = sqrt(as.numeric(bcg$vi))),
  centres = list(y = log(c(0.72, 1.31, 0.88, 0.95, 1.10, 0.61)), se = c(0.31, 0.42, 0.28, 0.35, 0.50, 0.38)),
  alike = list(y = c(0.10, 0.12, 0.11, 0.09), se = c(0.3, 0.2, 0.25, 0.4)),
  three = list(y = c(-0.6, 0.1, 0.7), se = c(0.2, 0.15, 0.3)), two = list(y = c(0.2, 0.9), se = c(0.1, 0.3)))

one <- function(name, level) {
  y <- sets[[name]]$y; se <- sets[[name]]$se
  tight <- list(threshold = 1e-13, maxiter = 10000)
  fixed <- rma(y, sei = se, method = "EE", level = 100 * level)
  # test = "adhoc" is Hartung-Knapp-Sidik-Jonkman with the variance factor kept from falling below 1.
  random <- rma(y, sei = se, method = "REML", test = "adhoc", level = 100 * level, control = tight)
  predicted <- predict(random, level = 100 * level)
  number <- function(x) as.numeric(x)
  list(name = name, level = level, y = y, se = se, q = number(fixed$QE), q_p = number(fixed$QEp),
       i_squared = max(0, (fixed$QE - (length(y) - 1)) / fixed$QE),
       fixed = number(c(fixed$beta, fixed$ci.lb, fixed$ci.ub, fixed$se, fixed$pval)),
       random = number(c(random$beta, random$ci.lb, random$ci.ub, random$se, random$pval)),
       tau_squared = number(random$tau2),
       prediction = number(c(predicted$pi.lb, predicted$pi.ub)),
       left_out = lapply(if (length(y) > 2) seq_along(y) else integer(), function(i) {
         r <- rma(y[-i], sei = se[-i], method = "REML", test = "adhoc", level = 100 * level, control = tight)
         number(c(r$beta, r$ci.lb, r$ci.ub))
       }))
}
write_reference(list(cases = c(lapply(names(sets), one, level = 0.95), list(one("bcg", 0.9)))), "metafor")
