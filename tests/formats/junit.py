"""Validates JUnit files against the XML Schema: python junit.py SCHEMA FILE…"""

import sys

import xmlschema

schema = xmlschema.XMLSchema10(sys.argv[1])
for file in sys.argv[2:]:
    schema.validate(file)
    print(file, "is valid")
