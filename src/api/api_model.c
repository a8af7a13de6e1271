#include <lpot/model.h>

#include "api/api_session.h"
#include "engine/reference/reference.h"
#include "graph/passes/passes.h"
#include "tune/user_model.h"

lpot_status lpot_model_from_file(const char *path, const char *engine_name, lpot_model **ret_model,
                                 lpot_error *err) {
  lpot_engine *engine = NULL;
  lpot_graph *graph = NULL;
  LPOT_TRY(lpot_api_check(path, "path", err));
  LPOT_TRY(lpot_api_check(engine_name, "engine_name", err));
  LPOT_TRY(lpot_api_check(ret_model, "ret_model", err));
  LPOT_TRY(lpot_engine_open(engine_name, &engine, err));
  lpot_status status = lpot_job_load_model(path, &graph, NULL, err);
  if (status == LPOT_OK) {
    status = lpot_graph_normalise(graph, lpot_reference_run, err);
    if (status != LPOT_OK) {
      lpot_error_prefix(err, "model '%s'", path);
      (void)lpot_error_at(err, path, 0, 0, status);
    }
  }
  if (status != LPOT_OK) {
    lpot_graph_free(graph);
    lpot_engine_close(engine);
    return status;
  }
  return lpot_user_model_own(engine, graph, ret_model, err);
}
