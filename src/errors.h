/*-------------------------------------------------------------------------
 *
 * errors.h
 *	  SQLSTATEs of class UF: what callers of fundes handle.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUNDES_ERRORS_H
#define FUNDES_ERRORS_H

#include "utils/elog.h"

#define UF(tens, ones) MAKE_SQLSTATE('U', 'F', '0', tens, ones)

/* who and what */
#define ERRCODE_INVESTOR_NOT_FOUND			UF('0', '1')
#define ERRCODE_FUND_NOT_FOUND				UF('0', '2')
#define ERRCODE_INVESTMENT_NOT_FOUND		UF('0', '6')
#define ERRCODE_MCP_NOT_HELD				UF('0', '7')
#define ERRCODE_MCP_ALREADY_HELD			UF('1', '6')
#define ERRCODE_INVESTOR_ID_TAKEN			UF('2', '4')

/* amounts, and what the books allow */
#define ERRCODE_INSUFFICIENT_FUND			UF('0', '3')
#define ERRCODE_NOT_ENOUGH_STOCK			UF('0', '4')
#define ERRCODE_INVALID_AMOUNT				UF('0', '5')
#define ERRCODE_AMOUNT_TOO_SMALL			UF('1', '2')
#define ERRCODE_RESIDUAL_ASSETS				UF('1', '7')
#define ERRCODE_ALREADY_REVERSED			UF('1', '3')
#define ERRCODE_REVERSAL_BREAKS				UF('1', '4')

/* price and time */
#define ERRCODE_PRICE_STALE					UF('0', '9')
#define ERRCODE_TRADING_HALTED				UF('1', '0')
#define ERRCODE_PERIOD_CLOSED				UF('1', '1')
#define ERRCODE_FUND_CLOSED					UF('1', '9')
#define ERRCODE_EFFECTIVE_IN_FUTURE			UF('2', '0')

/* the log */
#define ERRCODE_EVENT_ID_REUSED				UF('0', '8')
#define ERRCODE_APPEND_ONLY					UF('1', '8')
#define ERRCODE_WRONG_EXPECTED_VERSION		UF('2', '1')
#define ERRCODE_PAYLOAD_MISFIT				UF('2', '3')
#define ERRCODE_WRONG_ACKNOWLEDGEMENT		UF('2', '2')

#endif							/* FUNDES_ERRORS_H */
