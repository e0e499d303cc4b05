/*-------------------------------------------------------------------------
 *
 * fence.c
 *	  The domains of the projections' columns, checked as rows are written:
 *	  the second fence behind the rules, see fence.h.
 *
 *-------------------------------------------------------------------------
 */
#include "fundes.h"

#include "catalog/pg_type.h"
#include "fund/fence.h"
#include "fund/money.h"

/* Whether a value is one that its column's domain takes, sql/fund/domains.sql. */
static bool
fits_domain(const Row *row, int column, Domain domain)
{
	if (row->nulls[column])
		return domain == DOMAIN_CASH || domain == DOMAIN_UNITS || domain == DOMAIN_PRICE;
	switch (domain)
	{
		case DOMAIN_NONE:
			return true;
		case DOMAIN_CASH_SCALE:
			return row_int32(row, column) >= 0 && row_int32(row, column) <= 4;
		case DOMAIN_UNIT_SCALE:
			return row_int32(row, column) >= 0 && row_int32(row, column) <= 6;
		case DOMAIN_CASH:
			return num_fits(row_numeric(row, column), QUANTITY_CASH, -1);
		case DOMAIN_REQUIRED_CASH:
			return num_fits(row_numeric(row, column), QUANTITY_CASH, 0);
		case DOMAIN_UNITS:
			return num_fits(row_numeric(row, column), QUANTITY_UNITS, -1);
		case DOMAIN_REQUIRED_UNITS:
			return num_fits(row_numeric(row, column), QUANTITY_UNITS, 0);
		case DOMAIN_PRICE:
			return num_fits(row_numeric(row, column), QUANTITY_PRICE, 0);
		case DOMAIN_INITIAL_PRICE:
			return num_fits(row_numeric(row, column), QUANTITY_PRICE, 1);
	}
	return false;
}

void
fence_check_row(const Row *row)
{
	const Table *table = &tables[row->table];
	int			i;

	for (i = 0; i < table->ncolumns; i++)
	{
		Domain		domain = table->columns[i].domain;

		if (domain == DOMAIN_NONE || !row_has_changed(row, i) ||
			fits_domain(row, i, domain))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("figure %s of fundes.%s is out of bounds",
						table->columns[i].name, table->name),
				 row->nulls[i] ? errdetail("It would be null.") :
				 table->columns[i].type != NUMERICOID ?
				 errdetail("It would be %d.", row_int32(row, i)) :
				 errdetail("It would be %s.", num_text(row_numeric(row, i))),
				 errhint("An event that is appended directly must agree with the books; the commands see to that.")));
	}
}

void
fence_check_columns(const Table *table, TupleDesc desc)
{
	int			i;

	for (i = 0; i < table->ncolumns; i++)
		if ((TupleDescAttr(desc, i)->atttypid != table->columns[i].type) !=
			(table->columns[i].domain != DOMAIN_NONE))
			elog(ERROR, "column %s of fundes.%s is not of the type that fundes knows",
				 table->columns[i].name, table->name);
}
