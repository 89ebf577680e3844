import Ingest
import Testing

@Suite struct TopicNamingTests {
    @Test(arguments: [
        ("telegraf", "metrics.telegraf"), ("my_db-1", "metrics.my_db-1"), ("my db", "metrics.my.20db"),
        ("a.b", "metrics.a.2eb"), ("größe", "metrics.gr.c3.b6.c3.9fe"),
    ])
    func databasesHaveOneTopicAndComeBack(_ database: String, _ topic: String) {
        #expect(TopicNaming.topic(ofDatabase: Array(database.utf8)) == topic)
        #expect(TopicNaming.database(ofTopic: topic) == Array(database.utf8))
    }

    @Test func whatNobodyEscapedIsItsOwnName() {
        for topic in ["telegraf-metrics", "metrics.a.zz", "metrics.a.2", "metrics.a.61", "metrics."] {
            #expect(TopicNaming.database(ofTopic: topic) == Array(topic.utf8))
        }
    }

    @Test func namesHaveABound() {
        #expect(TopicNaming.topic(ofDatabase: []) == nil)
        #expect(TopicNaming.topic(ofDatabase: Array(repeating: 65, count: 80)) != nil)
        #expect(TopicNaming.topic(ofDatabase: Array(repeating: 65, count: 81)) == nil)
        #expect(TopicNaming.topic(ofDatabase: Array(repeating: 0, count: 80))!.utf8.count <= 249)
    }
}
