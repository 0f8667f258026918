source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "_common.R"))

sets <- list(
  sleep = split(sleep$extra, sleep$group), weights = split(PlantGrowth$weight, PlantGrowth$group),
  insects = split(InsectSprays$count, InsectSprays$spray), ozone = split(na.omit(airquality)$Ozone, na.omit(airquality)$Month),
  tiny = list(c(1, 2), c(2, 3.5)), centre = list(c(1, 4), c(2, 3)), odd = list(c(1, 2, 5), c(2, 4)))

one <- function(name) {
  g <- unname(sets[[name]])
  t <- t.test(g[[1]], g[[2]])
  w <- wilcox.test(g[[1]], g[[2]], exact = FALSE, correct = TRUE)
  k <- kruskal.test(g)
  list(name = name, groups = g, t = t$statistic[[1]], t_df = t$parameter[[1]], t_p = t$p.value,
       difference = c(mean(g[[1]]) - mean(g[[2]]), as.numeric(t$conf.int)), w = w$statistic[[1]], w_p = w$p.value,
       h = k$statistic[[1]], h_df = k$parameter[[1]], h_p = k$p.value)
}

probs <- c(0, 0.025, 0.25, 0.5, 0.75, 0.9, 1)
describe <- function(x) {
  list(x = x, probs = probs, quantiles = as.numeric(quantile(x, probs, type = 7)),
       skewness = length(x) / ((length(x) - 1) * (length(x) - 2)) * sum(((x - mean(x)) / sd(x))^3))
}

write_reference(list(
  groups = lapply(names(sets), one),
  describe = lapply(list(rivers, precip, c(1, 2, 10), InsectSprays$count, c(4, 4, 4, 5)), function(x) describe(as.numeric(x)))
))
