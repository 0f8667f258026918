# Gray's tests by cmprsk::cuminc: gray_test.json.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])), "competing_data.R"))

one_test <- function(k, stratified, rho) {
  strata <- if (stratified) k$strata else rep(1, length(k$time))
  tests <- cuminc(k$time, k$event, k$group, strata, rho = rho)$Tests
  list(
    stratified = stratified, rho = rho, cause = I(as.numeric(rownames(tests))), chi_square = I(unname(tests[, "stat"])),
    df = I(unname(tests[, "df"])),
    # cuminc takes 1 - pchisq, which loses the digits of small P values.
    p_value = I(unname(pchisq(tests[, "stat"], tests[, "df"], lower.tail = FALSE)))
  )
}

one_case <- function(k) {
  k <- written_out(k)
  c(
    list(one_test(k, FALSE, 0), one_test(k, FALSE, 1), one_test(k, FALSE, -0.5)),
    if (!is.null(k$strata)) list(one_test(k, TRUE, 0), one_test(k, TRUE, 0.7))
  )
}

cases <- Filter(function(k) is.null(k$entry), make_competing())
cases <- cases[setdiff(names(cases), "tied_fraction")]
write_competing(lapply(cases, one_case), "gray_test.R")
