# make, make install, make installcheck: for a server that is there already.
# scripts/test does all of it on private servers.

EXTENSION = fundes
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" fundes.control)

MODULE_big = fundes
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))
INCLUDED = $(wildcard src/*.h src/*/*.h)

# The install script's modules, in the order in which they are loaded.
SQL_MODULES = \
	sql/store/schema.sql \
	sql/store/append.sql \
	sql/store/read.sql \
	sql/store/subscribe.sql \
	sql/fund/domains.sql \
	sql/fund/events.sql \
	sql/fund/projections.sql \
	sql/fund/commands.sql \
	sql/fund/views.sql \
	sql/fund/returns.sql \
	sql/fund/operators.sql \
	sql/fund/import.sql \
	sql/fund/comments.sql \
	sql/privileges.sql

INSTALL_SQL = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA_built = $(INSTALL_SQL)
EXTRA_CLEAN = $(INSTALL_SQL) tmp_check test/results test/isolation/output_iso

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --outputdir=test --load-extension=fundes
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=test/isolation --load-extension=fundes

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -fvisibility=hidden -Wextra -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-clobbered $(WERROR)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(OBJS): $(INCLUDED)

$(INSTALL_SQL): $(SQL_MODULES) fundes.control
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION fundes" to load this file. \quit' \
	     'set local search_path = pg_catalog, pg_temp;'; \
	   cat $(SQL_MODULES); } > $@

# pgTAP tests, on the server and database that PGHOST, PGDATABASE, ... name
pgtapcheck:
	pg_prove --quiet test/pgtap/*.sql

# TAP tests, which start servers of their own
tapcheck: PROVE_TESTS = test/t/*.pl
tapcheck:
	$(prove_installcheck)

.PHONY: pgtapcheck tapcheck
