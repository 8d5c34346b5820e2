"""The demo population: invented people, a year of credits and bills, cases at every stage, through the real actions.

`plan` is made from a seed in memory (people, families, visits), `register` writes who there is, and `year` lives the
year day by day on several processes. `scale` adds a million more by COPY.
"""
