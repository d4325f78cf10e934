import java.io.BufferedWriter;
import java.io.OutputStreamWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads topics as Kafka's own client does, from their beginnings to where they end at the start, committed records only:
 * `java -cp JARS Consume.java BROKERS TOPIC...`. A line a record: topic, partition, offset, timestamp, value in base64.
 */
public class Consume {
  public static void main(String[] arguments) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", arguments[0]);
    settings.put("isolation.level", "read_committed");
    settings.put("enable.auto.commit", "false");
    settings.put("auto.offset.reset", "none");
    settings.put("key.deserializer", ByteArrayDeserializer.class.getName());
    settings.put("value.deserializer", ByteArrayDeserializer.class.getName());
    BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, "US-ASCII"));
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings)) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (int i = 1; i < arguments.length; i++)
        for (var one : consumer.partitionsFor(arguments[i]))
          partitions.add(new TopicPartition(one.topic(), one.partition()));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(one -> consumer.position(one) < ends.get(one)))
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
          String value = record.value() == null ? "" : Base64.getEncoder().encodeToString(record.value());
          out.write(record.topic() + "\t" + record.partition() + "\t" + record.offset() + "\t" + record.timestamp());
          out.write("\t" + value + "\n");
        }
    }
    out.flush();
  }
}
