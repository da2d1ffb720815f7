SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#documentation",
  deepLinking: true,
  docExpansion: "none", // a hundred operations: begin with their tags
  filter: true,
  validatorUrl: null, // the default one is somewhere else, and this page works offline
});
