# Shared by the scripts of this folder: writes a list as JSON beside the script, with the versions that made it.
# Run one script:  Rscript tests/reference/inference/proportions.R
suppressPackageStartupMessages(library(jsonlite))

script_path <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))

write_reference <- function(content, packages = character()) {
  versions <- c(list(R = R.version.string),
                setNames(lapply(packages, function(p) as.character(packageVersion(p))), packages))
  target <- sub("\\.R$", ".json", script_path)
  text <- toJSON(c(list(versions = versions), content), auto_unbox = TRUE, digits = NA, na = "null", pretty = TRUE)
  con <- file(target, open = "wb")
  writeLines(enc2utf8(as.character(text)), con, sep = "\n", useBytes = TRUE)
  close(con)
}
