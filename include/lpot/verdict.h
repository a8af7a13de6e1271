/* How a search ended. Compatible with C99 and C++. */
#ifndef LPOT_VERDICT_H
#define LPOT_VERDICT_H

/* X(NAME, text). New ones are added at the end.
 * NONE     the search has not ended
 * MET      the criterion is met
 * NOT_MET  it is not; the best trial is handed out, where there is one */
#define LPOT_VERDICT_LIST(X)                                                                       \
  X(NONE, "unfinished")                                                                            \
  X(MET, "met")                                                                                    \
  X(NOT_MET, "not_met")

typedef enum lpot_verdict {
#define X(name, text) LPOT_VERDICT_##name,
  LPOT_VERDICT_LIST(X)
#undef X
      LPOT_NUM_VERDICTS
} lpot_verdict;

#endif
