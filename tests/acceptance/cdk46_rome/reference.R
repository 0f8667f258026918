# Figures of the real patients by R, from the workbook's own months. The data are not in this repository: export the
# workbook's sheet to CSV and run by hand:  Rscript reference.R sheet.csv > reference.json
library(survival)
library(jsonlite)

d <- read.csv(commandArgs(trailingOnly = TRUE)[1])

median_of <- function(rows) {
  fit <- survfit(Surv(PFS, PD) ~ 1, data = d[rows, ], conf.type = "log-log")
  as.numeric(summary(fit)$table[c("median", "0.95LCL", "0.95UCL")])
}
setting_p <- function(class) {
  test <- survdiff(Surv(PFS, PD) ~ Sinc, data = d[d$HER2 == class & !is.na(d$Sinc), ])
  pchisq(test$chisq, 1, lower.tail = FALSE)
}

cox <- summary(coxph(Surv(PFS, PD) ~ HER2, data = d))
known <- d[!is.na(d$Sinc), ]
interaction <- anova(
  coxph(Surv(PFS, PD) ~ HER2 + Sinc, data = known),
  coxph(Surv(PFS, PD) ~ HER2 * Sinc, data = known)
)
cat(toJSON(auto_unbox = TRUE, digits = NA, pretty = TRUE, list(
  n = nrow(d),
  events = sum(d$PD),
  median = list(all = median_of(TRUE), zero = median_of(d$HER2 == 0), low = median_of(d$HER2 == 1)),
  hazard_ratio = as.numeric(cox$conf.int[1, c(1, 3, 4)]),
  hazard_ratio_p = cox$coefficients[1, 5],
  follow_up = as.numeric(summary(survfit(Surv(PFS, 1 - PD) ~ 1, data = d))$table["median"]),
  setting_logrank_p = list(low = setting_p(1), zero = setting_p(0)),
  interaction_p = interaction[["Pr(>|Chi|)"]][2],
  R = R.version.string,
  survival = as.character(packageVersion("survival"))
)), "\n", sep = "")
