#include "detection_fixture.h"

#include "data/voc_annotation.h"

/* As in VOC's files, with what they have beside: parts, attributes, comments, entities. */
static const char annotation[] =
    "<?xml version=\"1.0\"?>\n<!-- made up -->\n<annotation verified=\"a > b\">\n"
    "\t<filename>b.jpg</filename><source><image>a &amp; b</image></source>\n"
    "\t<size><width>32</width><height>24</height><depth>3</depth></size>\n"
    "\t<object>\n\t\t<name>person</name><pose/>\n\t\t<difficult>0</difficult>\n"
    "\t\t<bndbox><xmin>16</xmin><ymin>6</ymin><xmax>24.0</xmax><ymax>12</ymax></bndbox>\n"
    "\t\t<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax>"
    "<ymax>2</ymax></bndbox></part>\n\t</object>\n"
    "\t<object><name>aeroplane</name><difficult>1</difficult>"
    "<bndbox><xmin>0</xmin><ymin>0</ymin><xmax>32</xmax><ymax>24</ymax></bndbox></object>\n"
    "</annotation>\n";

static const char empty[] =
    "<annotation><size><width>32</width><height>24</height></size></annotation>";

static void make_voc(char folder[FIXTURE_PATH]) {
  static const char set[] = "a -1\nb  1\r\n\ngone\n";
  make_folder(folder);
  copy_golden("rgb.jpg", folder, "JPEGImages/b.jpg");
  copy_golden("rgb.jpg", folder, "JPEGImages/a.jpg");
  write_file(folder, "Annotations/b.xml", annotation, sizeof annotation - 1);
  write_file(folder, "Annotations/a.xml", empty, sizeof empty - 1);
  char path[FIXTURE_PATH * 2];
  snprintf(path, sizeof path, "%s/ImageSets", folder);
  assert_int_equal(mkdir(path, 0700), 0);
  write_file(folder, "ImageSets/Main/val.txt", set, sizeof set - 1);
}

static void samples_stand_in_the_order_of_the_set(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_voc(folder);
  lpot_dataset *dataset = open_dataset("VOCRaw", "{root: '.'}", folder);
  assert_true(lpot_dataset_has_ragged_labels(dataset));
  assert_int_equal(lpot_dataset_size(dataset), 2);
  assert_int_equal(lpot_dataset_num_skipped(dataset), 1);
  lpot_sample sample;
  lpot_sample_init(&sample);
  get_sample(dataset, 0, &sample);
  assert_int_equal(sample.label->shape.dims[0], 0);
  get_sample(dataset, 1, &sample);
  assert_int_equal(sample.label->shape.dims[0], 2);
  expect_truth(sample.label, 0, 15, 0.25, 0.5, 0.5, 0.75, 0);
  expect_truth(sample.label, 1, 1, 0, 0, 1, 1, LPOT_TRUTH_DIFFICULT);
  lpot_tensor *image = golden_tensor("rgb_jpg.npy");
  assert_true(largest_difference(sample.inputs[0], image) == 0);
  lpot_tensor_unref(image);
  lpot_dataset_close(dataset);
  lpot_digest before = manifest_of("VOCRaw", "{root: '.'}", folder);
  write_file(folder, "map.yaml", "person: 7\naeroplane: 0\n", 23);
  dataset = open_dataset("VOCRaw", "{root: '.', label_map: map.yaml}", folder);
  get_sample(dataset, 1, &sample);
  expect_truth(sample.label, 0, 7, 0.25, 0.5, 0.5, 0.75, 0);
  expect_truth(sample.label, 1, 0, 0, 0, 1, 1, LPOT_TRUTH_DIFFICULT);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  assert_false(
      same_digest(before, manifest_of("VOCRaw", "{root: '.', label_map: map.yaml}", folder)));
  write_file(folder, "Annotations/a.xml", annotation, sizeof annotation - 1);
  assert_false(same_digest(before, manifest_of("VOCRaw", "{root: '.'}", folder)));
  remove_folder(folder);
}

static void what_is_missing_is_named(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_voc(folder);
  expect_refused("VOCRaw", "{}", folder, LPOT_CONFIG, "needs the setting 'root'");
  expect_refused("VOCRaw", "{root: '.', image_set: test}", folder, LPOT_CONFIG, "Main/test.txt'");
  write_file(folder, "map.yaml", "person: 7\n", 10);
  expect_refused("VOCRaw", "{root: '.', label_map: map.yaml}", folder, LPOT_FORMAT,
                 "object 1 is a 'aeroplane', which is no known class");
  write_file(folder, "map.yaml", "person: x\n", 10);
  expect_refused("VOCRaw", "{root: '.', label_map: map.yaml}", folder, LPOT_CONFIG, "map.yaml");
  write_file(folder, "map.yaml", "[person]\n", 9);
  expect_refused("VOCRaw", "{root: '.', label_map: map.yaml}", folder, LPOT_CONFIG,
                 "expected lines 'name: class'");
  char long_name[300];
  char settings[400];
  memset(long_name, 'a', sizeof long_name);
  snprintf(settings, sizeof settings, "{root: '.', image_set: %.256s}", long_name);
  expect_refused("VOCRaw", settings, folder, LPOT_CONFIG, "a name that is too long");
  write_file(folder, "ImageSets/Main/val.txt", long_name, 256);
  expect_refused("VOCRaw", "{root: '.'}", folder, LPOT_FORMAT, "a line that is no name");
  write_file(folder, "ImageSets/Main/val.txt", "a\0b\n", 4);
  expect_refused("VOCRaw", "{root: '.'}", folder, LPOT_FORMAT, "a line that is no name");
  write_file(folder, "ImageSets/Main/val.txt", "gone\n", 5);
  expect_refused("VOCRaw", "{root: '.'}", folder, LPOT_NOT_FOUND, "none of the images");
  write_file(folder, "ImageSets/Main/val.txt", "b\n", 2);
  char path[FIXTURE_PATH * 2];
  snprintf(path, sizeof path, "%s/Annotations/b.xml", folder);
  assert_int_equal(remove(path), 0);
  expect_refused("VOCRaw", "{root: '.'}", folder, LPOT_NOT_FOUND, "b.xml");
  remove_folder(folder);
}

static void refuse(const char *text, const char *part) {
  lpot_voc_annotation read = {0};
  lpot_error err = {0};
  expect_error(lpot_voc_annotation_read(text, strlen(text), &read, &err), LPOT_FORMAT, &err, part);
}

static void damaged_files_are_told_with_their_line(void **state) {
  (void)state;
  refuse("", "line 1: the file ends before its annotation");
  refuse("<annotation>\n<object>\n</annotation>", "line 3: </annotation> closes nothing");
  refuse("</annotation>", "closes nothing");
  refuse("<annotation/><annotation/>", "a second element");
  refuse("<annotation/>x", "text outside");
  refuse("<annotation><size><width>x</width>", "annotation/size/width is 'x', expected a number");
  refuse("<annotation><object></object></annotation>", "needs a name and a bndbox");
  refuse("<annotation><object><name>a</name><bndbox><xmin>1</xmin></bndbox></object></annotation>",
         "needs a name and a bndbox");
  refuse("<annotation>&foo;</annotation>", "an entity");
  refuse("<!DOCTYPE x><annotation/>", "a document type");
  refuse("<annotation><![CDATA[x]]></annotation>", "CDATA");
  refuse("<annotation a=\"x>", "expected '\"'");
  refuse("<annotation <", "a tag without its '>'");
  refuse("<annotation><!-- x", "expected '-->'");
  refuse("< annotation/>", "expected the name");
  refuse("<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>", "nested too deep");
  for (size_t size = 0; size < sizeof annotation - 3; size++) {
    lpot_voc_annotation read = {0};
    lpot_error err = {0};
    assert_int_equal(lpot_voc_annotation_read(annotation, size, &read, &err), LPOT_FORMAT);
  }
}

static void opening_survives_every_failed_allocation(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_voc(folder);
  expect_survives("VOCRaw", "{root: '.'}", folder);
  remove_folder(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samples_stand_in_the_order_of_the_set),
      cmocka_unit_test(what_is_missing_is_named),
      cmocka_unit_test(opening_survives_every_failed_allocation),
      cmocka_unit_test(damaged_files_are_told_with_their_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
