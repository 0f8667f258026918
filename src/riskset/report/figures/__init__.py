"""Figures as Vega-Lite specifications or drawings of our own, from result rows; nothing here computes a number."""

from __future__ import annotations

from riskset.report.figures.flow import flow_diagram
from riskset.report.figures.forest import forest_plots
from riskset.report.figures.kaplan_meier import kaplan_meier_plots

__all__ = ["flow_diagram", "forest_plots", "kaplan_meier_plots"]
