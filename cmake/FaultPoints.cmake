# dl_fault_points(FILES…): switches the fault points (storage/fault) on in those of FILES that have any, where
# DL_FAULT_POINTS is on. All other files compile as in any build, so a compiler cache has them already.
option(DL_FAULT_POINTS "programs that fail on demand, for tests/chaos; never for a package" OFF)
function(dl_fault_points)
  if(NOT DL_FAULT_POINTS)
    return()
  endif()
  foreach(file IN LISTS ARGN)
    file(STRINGS ${file} hits REGEX "fault/(fault_point|commit_points)\\.h|fault/failing_files\\.h")
    if(hits)
      set_source_files_properties(${file} PROPERTIES COMPILE_DEFINITIONS DL_FAULT_POINTS)
    endif()
  endforeach()
endfunction()
