#include "engine/engine_fixture.h"

#include "engine/onednn/loops.h"

/* Moves of elements against the plainest way to say the same. */

static void fill(uint8_t *bytes, size_t size, uint64_t seed) {
  lpot_rng rng;
  lpot_rng_init(&rng, seed);
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = (uint8_t)lpot_rng_below(&rng, 256);
  }
}

static void transpositions_are_right_for_all_sizes(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 2, 4, 8};
  static const int64_t lengths[] = {1, 2, 3, 4, 5, 15, 16, 17, 31, 33, 48};
  static uint8_t in[48 * 48 * 8], out[48 * 48 * 8];
  fill(in, sizeof in, 1);
  for (size_t s = 0; s < 4; ++s) {
    for (size_t r = 0; r < 11; ++r) {
      for (size_t c = 0; c < 11; ++c) {
        int64_t rows = lengths[r], columns = lengths[c];
        lpot_loop_transpose(in, out, 1, rows, columns, sizes[s]);
        for (int64_t i = 0; i < rows * columns; ++i) {
          int64_t to = i % columns * rows + i / columns;
          assert_memory_equal(out + (size_t)to * sizes[s], in + (size_t)i * sizes[s], sizes[s]);
        }
      }
    }
  }
}

static void check_permutation(const int64_t *dims, const int64_t *perm, int rank, size_t size,
                              const uint8_t *in, uint8_t *out) {
  lpot_loop_permute permute;
  lpot_loop_permute_init(dims, perm, rank, size, &permute);
  lpot_loop_permute_run(&permute, in, out);
  int64_t total = 1;
  for (int i = 0; i < rank; ++i) {
    total *= dims[i];
  }
  for (int64_t at = 0; at < total; ++at) {
    int64_t index[LPOT_MAX_RANK]; /* of the output element, by output dimension */
    int64_t rest = at;
    for (int i = rank - 1; i >= 0; --i) {
      index[i] = rest % dims[perm[i]];
      rest /= dims[perm[i]];
    }
    int64_t from = 0;
    for (int i = 0; i < rank; ++i) {
      int position = 0;
      while (perm[position] != i) {
        position++;
      }
      from = from * dims[i] + index[position];
    }
    assert_memory_equal(out + (size_t)at * size, in + (size_t)from * size, size);
  }
}

static void permutations_of_four_dimensions_are_right(void **state) {
  (void)state;
  static uint8_t in[3 * 5 * 18 * 20 * 8], out[sizeof in];
  static const int64_t shapes[][4] = {{3, 5, 4, 7}, {2, 1, 18, 20}, {1, 3, 17, 16}, {2, 5, 1, 1}};
  static const size_t sizes[] = {1, 2, 4, 8};
  fill(in, sizeof in, 2);
  for (int a = 0; a < 256; ++a) {
    const int64_t perm[4] = {a & 3, a >> 2 & 3, a >> 4 & 3, a >> 6 & 3};
    int seen = 0;
    for (int i = 0; i < 4; ++i) {
      seen |= 1 << perm[i];
    }
    for (int k = 0; k < 4 && seen == 15; ++k) {
      check_permutation(shapes[k], perm, 4, sizes[a % 4], in, out);
    }
  }
}

static void channels_are_shuffled_and_bytes_looked_up(void **state) {
  (void)state;
  static uint8_t in[5 * 300 * 4], out[5 * 300 * 4], table[256];
  int32_t order[300];
  fill(in, sizeof in, 3);
  fill(table, sizeof table, 4);
  static const int64_t counts[] = {1, 6, 63, 64, 65, 128, 130, 240, 256, 258, 300};
  for (size_t k = 0; k < sizeof counts / sizeof counts[0]; ++k) {
    int64_t channels = counts[k];
    for (int64_t c = 0; c < channels; ++c) {
      order[c] = (int32_t)((c * 7 + 3) % channels);
    }
    for (size_t size = 1; size <= 4; size += 3) {
      lpot_loop_shuffle(in, 5, order, channels, size, out);
      for (int64_t i = 0; i < 5 * channels; ++i) {
        int64_t from = i / channels * channels + order[i % channels];
        assert_memory_equal(out + (size_t)i * size, in + (size_t)from * size, size);
      }
    }
    lpot_loop_lookup(in, 5 * channels, table, out);
    for (int64_t i = 0; i < 5 * channels; ++i) {
      assert_int_equal(out[i], table[in[i]]);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(transpositions_are_right_for_all_sizes),
      cmocka_unit_test(permutations_of_four_dimensions_are_right),
      cmocka_unit_test(channels_are_shuffled_and_bytes_looked_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
