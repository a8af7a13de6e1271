/* What getopt_long did not take, for a message. */
#ifndef LPOT_CLI_GIVEN_OPTION_H
#define LPOT_CLI_GIVEN_OPTION_H

#include <getopt.h>

#define LPOT_GIVEN_OPTION 256

/* After getopt_long has answered '?' or ':': the option that is meant, as it was written, without
 * what stands beside it: "-z" of "-vqz", "--frob=1" of "--frob=1", cut to out [LPOT_GIVEN_OPTION].
 * long_options are those that getopt_long was given. */
void lpot_given_option(const struct option *long_options, char *const *argv, char *out);

#endif
