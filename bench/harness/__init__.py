"""The benchmark's machinery: plan (what), build, processes, sampling (how), ratios, report (judgement)."""
