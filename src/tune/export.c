#include "tune/export.h"

#include <string.h>

#include "formats/onnx/onnx.h"
#include "formats/output_file.h"
#include "quant/rewrite.h"

static lpot_status path_of(const char *folder, const char *name, lpot_buffer *out,
                           lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "%s/%s", folder, name));
  LPOT_TRY(lpot_buffer_terminate(out, err));
  return LPOT_OK;
}

static lpot_status quantized_graph(const lpot_job *job, const lpot_recipe *recipe,
                                   lpot_graph **ret_graph, lpot_error *err) {
  lpot_graph *qdq = NULL;
  lpot_recipe *exported = NULL;
  LPOT_TRY(lpot_recipe_exported(recipe, &exported, err));
  lpot_status rewritten = lpot_job_rewrite(job, exported, &qdq, err);
  lpot_recipe_free(exported);
  LPOT_TRY(rewritten);
  if (job->config->export_format == LPOT_EXPORT_QDQ) {
    *ret_graph = qdq;
    return LPOT_OK;
  }
  lpot_status status = lpot_quant_to_qoperator(qdq, ret_graph, err);
  lpot_graph_free(qdq);
  return status;
}

lpot_status lpot_export_size(const lpot_job *job, const lpot_recipe *recipe,
                             uint64_t *ret_size_bytes, lpot_error *err) {
  lpot_graph *graph = NULL;
  LPOT_TRY(quantized_graph(job, recipe, &graph, err));
  lpot_status status = lpot_onnx_size(graph, "best_model.onnx", ret_size_bytes, err);
  lpot_graph_free(graph);
  return status;
}

lpot_status lpot_export_model(const lpot_job *job, const lpot_recipe *recipe, const char *folder,
                              const char *name, lpot_error *err) {
  lpot_graph *graph = NULL;
  lpot_buffer path;
  lpot_buffer_init(&path);
  lpot_status status = path_of(folder, name, &path, err);
  if (status == LPOT_OK) {
    status = quantized_graph(job, recipe, &graph, err);
  }
  if (status == LPOT_OK) {
    status = lpot_onnx_save(graph, (const char *)path.data, NULL, err);
  }
  lpot_graph_free(graph);
  lpot_buffer_done(&path);
  return status;
}

static lpot_status save_text(const char *folder, const char *name, const lpot_buffer *text,
                             lpot_error *err) {
  lpot_output_file *file = NULL;
  lpot_buffer path;
  lpot_buffer_init(&path);
  lpot_status status = path_of(folder, name, &path, err);
  if (status == LPOT_OK) {
    status = lpot_output_file_open((const char *)path.data, &file, err);
  }
  if (status == LPOT_OK) {
    status = lpot_output_file_write(file, text->data, text->size, err);
  }
  if (status == LPOT_OK) {
    status = lpot_output_file_commit(file, err);
  }
  lpot_output_file_free(file);
  lpot_buffer_done(&path);
  return status;
}

lpot_status lpot_export_recipe(const lpot_job *job, const lpot_recipe *recipe, const char *folder,
                               const char *name, lpot_error *err) {
  lpot_buffer text;
  lpot_buffer_init(&text);
  lpot_status status = lpot_recipe_to_text(recipe, lpot_quant_ops_names(job->ops),
                                           lpot_quant_ops_types(job->ops), &text, err);
  if (status == LPOT_OK) {
    status = save_text(folder, name, &text, err);
  }
  lpot_buffer_done(&text);
  return status;
}

/* Appends one top-level section of YAML text that we wrote ourselves: from its key to the next
 * line that starts a key. */
static lpot_status copy_section(const char *text, const char *section, lpot_buffer *out,
                                lpot_error *err) {
  bool inside = false;
  size_t length = strlen(section);
  for (const char *line = text; *line != '\0';) {
    const char *newline = strchr(line, '\n');
    size_t size = newline == NULL ? strlen(line) : (size_t)(newline - line) + 1;
    bool top_level = line[0] != ' ' && line[0] != '-' && line[0] != '\n';
    if (top_level) {
      inside = strncmp(line, section, length) == 0 && line[length] == ':';
    }
    if (inside) {
      LPOT_TRY(lpot_buffer_append(out, line, size, err));
    }
    line += size;
  }
  return LPOT_OK;
}

static lpot_status deploy_text(const lpot_job *job, const char *model_name, lpot_buffer *config,
                               lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_config_text(job->config, false, config, err));
  LPOT_TRY(lpot_buffer_terminate(config, err));
  LPOT_TRY(lpot_buffer_printf(
      out, err, "# How to measure the quantized model in %s, beside this file.\n", model_name));
  LPOT_TRY(copy_section((const char *)config->data, "model", out, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "device: cpu\n"));
  LPOT_TRY(copy_section((const char *)config->data, "evaluation", out, err));
  return LPOT_OK;
}

lpot_status lpot_export_deploy(const lpot_job *job, const char *folder, const char *model_name,
                               lpot_error *err) {
  lpot_buffer config;
  lpot_buffer text;
  lpot_buffer_init(&config);
  lpot_buffer_init(&text);
  lpot_status status = deploy_text(job, model_name, &config, &text, err);
  if (status == LPOT_OK) {
    status = save_text(folder, "deploy.yaml", &text, err);
  }
  lpot_buffer_done(&config);
  lpot_buffer_done(&text);
  return status;
}

static lpot_status check_approach(const lpot_job *job, const lpot_yaml_node *root,
                                  lpot_error *err) {
  bool dynamic = false;
  LPOT_TRY(lpot_recipe_yaml_is_dynamic(root, &dynamic, err));
  if (dynamic != job->config->dynamic) {
    return lpot_yaml_fail(err, root,
                          "the recipe is of %s quantization, the configuration asks for %s",
                          dynamic ? "dynamic" : "static", dynamic ? "static" : "dynamic");
  }
  return LPOT_OK;
}

lpot_status lpot_import_recipe(const lpot_job *job, const char *path, lpot_recipe **ret_recipe,
                               lpot_error *err) {
  lpot_yaml *yaml = NULL;
  LPOT_TRY(lpot_yaml_load(path, &yaml, err));
  lpot_status status = check_approach(job, lpot_yaml_root(yaml), err);
  if (status == LPOT_OK) {
    status = lpot_recipe_from_yaml(lpot_yaml_root(yaml), lpot_quant_ops_names(job->ops),
                                   lpot_quant_ops_types(job->ops), lpot_quant_ops_count(job->ops),
                                   ret_recipe, err);
  }
  lpot_yaml_free(yaml);
  if (status == LPOT_OK && lpot_recipe_num_bf16(*ret_recipe) > 0 &&
      !lpot_engine_has_bf16(job->engine)) {
    lpot_recipe_free(*ret_recipe);
    *ret_recipe = NULL;
    status = LPOT_FAIL(err, LPOT_CONFIG,
                       "%s: its bf16 ops need a processor with AVX512_BF16 or AMX, this one "
                       "computes as '%.120s'",
                       path, lpot_engine_numeric_class(job->engine));
  }
  return status;
}

lpot_status lpot_export_op_times(const lpot_job *job, const lpot_op_times *times,
                                 const char *folder, lpot_error *err) {
  lpot_buffer text;
  lpot_buffer_init(&text);
  lpot_status status = lpot_op_times_to_text(times, lpot_quant_ops_names(job->ops),
                                             lpot_quant_ops_types(job->ops), &text, err);
  if (status == LPOT_OK) {
    status = save_text(folder, LPOT_OP_TIMES_NAME, &text, err);
  }
  lpot_buffer_done(&text);
  return status;
}

lpot_status lpot_import_op_times(const lpot_job *job, const char *path, lpot_op_times *ret,
                                 lpot_error *err) {
  lpot_yaml *yaml = NULL;
  LPOT_TRY(lpot_yaml_load(path, &yaml, err));
  lpot_status status = lpot_op_times_from_yaml(lpot_yaml_root(yaml), lpot_quant_ops_names(job->ops),
                                               lpot_quant_ops_types(job->ops),
                                               lpot_quant_ops_count(job->ops), ret, err);
  lpot_yaml_free(yaml);
  return status;
}
