source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "_common.R"))

cases <- list(c(0.01, 0.04, 0.03, 0.005), c(0.02, 0.02, 0.9, 1, 0.0001), c(0.04, NA, 0.02, 0.5), 0.3)
write_reference(list(cases = lapply(cases, function(p) {
  list(p = I(p), holm = I(p.adjust(p, "holm")), bh = I(p.adjust(p, "BH")))
})))
