"""The files that `riskset new` writes, by template; `<word>` in a mapping is filled in, all else stands as it is."""

from __future__ import annotations

SUPPLIED_STUDY = """\
# A study file. Every key is explained by `riskset schema`; unknown keys are refused with line and column.
riskset: 1
study: {id: my_study, title: Title of the study}
centres:
  centre_a: {label: Centre A, mapping: centre_a.yaml}
covariates:
  marker: {rule: supplied, name: marker, levels: [negative, positive]}
endpoints:
  pfs: {kind: pfs, prefer: supplied}
comparison: {by: marker, reference: negative}
analyses:
  table1: {kind: baseline, variables: [marker]}
  pfs_marker: {kind: survival, plan: primary, endpoint: pfs}
"""

SUPPLIED_MAPPING = """\
# Which column of which sheet feeds which field: the hospital's contract. What it does not name is never guessed.
mapping: 1
blocks:
  - file: <file><sheet>
    table: patients
    fields:
      patient: {column: <patient>}
  - file: <file><sheet>
    table: supplied
    fields:
      patient: {column: <patient>}
      pfs: {column: <pfs>, unit: months}<pfs_missing>
      pfs_event: {column: <event>}<event_missing>
      marker: {column: <marker>, codes: {"0": negative, "1": positive}}<marker_missing>
"""

DATES_STUDY = """\
# A study on dated records. Every key is explained by `riskset schema`; unknown keys are refused with line and column.
riskset: 1                                 # version of this format
study:
  id: my_study                             # small letters, digits and _
  title: Title of the study                # printed above the report
  # data_cutoff: 2024-12-31                # nothing later is counted
centres:
  centre_a: {label: Centre A, mapping: centre_a.yaml}   # one line a hospital, each with its own mapping

index:                                     # time zero
  table: drugs                             # the index date comes from a drug record
  where: "drug_class = 'cdk46'"            # of this class; or inn = 'palbociclib'
  pick: first                              # the first such record of the patient
  date: start                              # its first dose is day 0

biomarkers:
  her2:
    rules: asco_cap_2018                   # how IHC and ISH texts become classes
    scheme: zero_low                       # IHC 0 against 1+ or 2+ without amplification
    specimen: latest_before_index          # which specimen speaks for the patient
  hormone_receptors: {cut: 1}              # positive from 1 % of stained cells; its column is called hr

covariates:
  age: {rule: age_at_index}                # years at the index date
  setting: {rule: setting}                 # recurrent or de_novo, from diagnosis and metastatic dates
  visceral: {rule: visceral}               # any visceral organ; unknown unless all are known absent
  n_organs: {rule: n_organs}               # number of metastatic organs
  several_organs: {rule: classes, levels: {one: n_organs = 1, several: n_organs >= 2}}   # levels by conditions

eligibility:                               # in this order; TRUE keeps, FALSE fails, unknown is counted apart
  - {id: treated, where: index_date IS NOT NULL, label: Received the index drug}         # has a time zero
  - {id: hr_positive, where: "hr = 'positive'", label: Hormone receptor positive}        # from the biomarker above
  - {id: her2_class, where: "her2 IN ('zero', 'low')", label: HER2-zero or HER2-low}     # HER2-positive is left out
  - {id: adult, where: age >= 18, label: Aged 18 or over}                                # unknown age is lost here

endpoints:
  pfs: {kind: pfs, scheme: ema}            # progression or death; else the last assessment
  os: {kind: os}                           # death; else the last contact
  orr: {kind: response, success: [CR, PR]} # best response that counts as success

comparison: {by: her2, reference: zero}    # the groups, and the one that others are held against

analyses:
  table1: {kind: baseline, variables: [age, setting, visceral, several_organs]}          # who the patients are
  pfs_her2: {kind: survival, plan: primary, endpoint: pfs, times_months: [6, 12, 24]}    # curves, medians, log-rank
  os_her2: {kind: survival, endpoint: os}                                                # the same of survival
  pfs_cox: {kind: cox, endpoint: pfs, exposure: her2, adjust: [visceral, setting]}       # adjusted hazard ratio
  response: {kind: response, endpoints: [orr]}                                           # rates by group
  follow_up: {kind: follow_up, endpoint: os}                                             # reverse Kaplan-Meier
"""

DATES_MAPPING = """\
# Which column of which sheet feeds which field: the hospital's contract. What it does not name is never guessed.
# Each block reads one sheet into one table; several blocks may read the same sheet. Put your own column names after
# `column:`, and delete the lines and blocks that your hospital does not have.
mapping: 1                                 # version of this format
defaults: {dates: dmy}                     # how dates are typed: dmy, mdy or ymd
blocks:
  - file: <file><sheet>
    table: patients                        # one row a patient
    fields:
      patient: {column: <patient>}         # the id that joins all blocks
      birth: {column: birth}               # date of birth
      sex: {column: sex, codes: {F: female, M: male}}   # text of the cell: our word
      diagnosis: {column: diagnosis}       # first diagnosis of the primary cancer
      metastatic: {column: metastatic}     # first proof of distant disease

  - file: <file><sheet>
    table: samples                         # one row a pathology specimen
    fields:
      patient: {column: <patient>}         # the same id
      date: {column: sample date}          # date of the specimen
      tissue: {column: tissue, codes: {P: primary, M: metastasis}}   # where it was taken
      ihc: {column: HER2 IHC}              # exactly as written: 0, 1+, 2+, 3+, negative ...
      ish: {column: HER2 ISH}              # exactly as written
      er: {column: ER}                     # per cent or words
      pr: {column: PR}                     # per cent or words
      ki67: {column: Ki67}                 # per cent

  - file: <file><sheet>
    table: drugs                           # one row a drug given over one period
    fields:
      patient: {column: <patient>}         # the same id
      name: {column: drug}                 # generic or trade name
      start: {column: start}               # first dose
      stop: {column: stop}                 # last dose; empty while ongoing
      stop_reason: {column: stop reason, codes: {PD: progression, toxicity: toxicity}}   # why it ended
      line: {column: line}                 # line of therapy as the physician counts it
    constants: {intent: metastatic}        # all of these rows; or a column with codes

  - file: <file><sheet>
    table: assessments                     # one row a tumour assessment
    fields:
      patient: {column: <patient>}         # the same id
      date: {column: assessment date}      # date of the scan
      response: {column: response}         # CR, PR, SD, PD, NE; else give codes

  - file: <file><sheet>
    table: organs                          # one row an organ with, or known to be without, metastasis
    complete: false                        # true only if an organ that is not listed is known to be free
    fields:
      patient: {column: <patient>}         # the same id
    repeat:                                # one row an entry: a column for each organ
      - {organ: bone, present: {column: bone, codes: {"0": false, "1": true}}}    # bone metastasis
      - {organ: liver, present: {column: liver, codes: {"0": false, "1": true}}}  # liver metastasis
      - {organ: lung, present: {column: lung, codes: {"0": false, "1": true}}}    # lung metastasis

  - file: <file><sheet>
    table: contacts                        # one row a date on which the patient was known to be alive or dead
    fields:
      patient: {column: <patient>}         # the same id
      date: {column: last contact}         # date of death, or last seen alive
      status: {column: status, codes: {"0": alive, "1": dead}}   # what was known then
"""

TEMPLATES = {"dates": (DATES_STUDY, DATES_MAPPING), "supplied": (SUPPLIED_STUDY, SUPPLIED_MAPPING)}
