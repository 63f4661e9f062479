/* ascribe/ascribe.h -- the whole public interface of libascribe. */
#ifndef ASCRIBE_ASCRIBE_H
#define ASCRIBE_ASCRIBE_H

#include <ascribe/error.h>
#include <ascribe/base.h>
#include <ascribe/table.h>
#include <ascribe/model.h>
#include <ascribe/method.h>
#include <ascribe/metric.h>
#include <ascribe/fit.h>

#endif
