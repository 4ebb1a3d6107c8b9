/// A class of COCO's detection task: its id in the annotation files is 1 … 90 with gaps.
struct COCOCategory: Equatable {
  let id: Int
  let name: String

  /// The 80 classes, in the order of their ids.
  static let all = runs.flatMap { run in
    run.names.split(separator: ",").enumerated().map { COCOCategory(id: run.first + $0, name: String($1)) }
  }

  /// Stretches of ids without a gap.
  private static let runs: [(first: Int, names: String)] = [
    (1, "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant"),
    (13, "stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe"),
    (27, "backpack,umbrella"),
    (
      31,
      """
      handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,\
      skateboard,surfboard,tennis racket,bottle
      """
    ),
    (
      46,
      """
      wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,\
      donut,cake,chair,couch,potted plant,bed
      """
    ),
    (67, "dining table"),
    (70, "toilet"),
    (72, "tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator"),
    (84, "book,clock,vase,scissors,teddy bear,hair drier,toothbrush"),
  ]
}
