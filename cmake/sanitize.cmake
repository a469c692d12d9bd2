# -DLC_SANITIZE=address|undefined|thread: the sanitizer builds of `make check-all`.
if(LC_SANITIZE)
  add_compile_options(-fsanitize=${LC_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${LC_SANITIZE})
  if(LC_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize-recover=all)
  endif()
endif()
